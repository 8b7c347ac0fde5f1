rule ablate:
    input:
        images=table("images"),
        folds=rules.fold.output.folds,
        faces=f"{FOLDER}/annotated/faces.parquet",
        matcher=rules.train_matcher.output.matcher,
        networks=networks(ABLATION),
    output:
        metrics=f"{FOLDER}/annotated/ablate/metrics.parquet",
        replicates=f"{FOLDER}/annotated/ablate/replicates.parquet",
    log:
        f"{RESULTS}/logs/ablate/{{protocol}}-{{fold}}.log",
    conda:
        "../../envs/landmarks.yaml"
    resources:
        mem_mb=memory("ablate"),
        runtime=runtime("ablate"),
    params:
        code=code("steps.ablate", *parts(ABLATION)),
        dataset=dataset_of,
        model="annotated",
        settings=matching,
        ablation=text(with_states(ABLATION)),
        seed=config["training_seed"],
        evaluation=bootstrap(),
    shell:
        step("ablate", FOLD, "images folds faces matcher networks", "metrics replicates")


rule sweep:
    input:
        images=table("images"),
        folds=rules.fold.output.folds,
        faces=f"{FOLDER}/annotated/faces.parquet",
        networks=networks(SWEEP),
    output:
        metrics=f"{FOLDER}/annotated/sweep/metrics.parquet",
        replicates=f"{FOLDER}/annotated/sweep/replicates.parquet",
    log:
        f"{RESULTS}/logs/sweep/{{protocol}}-{{fold}}.log",
    conda:
        "../../envs/landmarks.yaml"
    resources:
        mem_mb=memory("sweep"),
        runtime=runtime("sweep"),
    params:
        code=code("steps.sweep", *parts(SWEEP)),
        dataset=dataset_of,
        model="annotated",
        settings=matching,
        sweep=text(with_states(SWEEP)),
        seed=config["training_seed"],
        evaluation=bootstrap(),
    shell:
        step("sweep", FOLD, "images folds faces networks", "metrics replicates")


rule displace:
    input:
        images=table("images"),
        annotations=table("annotations"),
        folds=rules.fold.output.folds,
        faces=f"{FOLDER}/annotated/faces.parquet",
        matcher=rules.train_matcher.output.matcher,
    output:
        metrics=f"{FOLDER}/annotated/displace/metrics.parquet",
        replicates=f"{FOLDER}/annotated/displace/replicates.parquet",
    log:
        f"{RESULTS}/logs/displace/{{protocol}}-{{fold}}.log",
    conda:
        "../../envs/landmarks.yaml"
    resources:
        mem_mb=memory("displace"),
        runtime=runtime("displace"),
    params:
        code=code("steps.displace", "verification.none", *parts()),
        dataset=dataset_of,
        model="annotated",
        settings=matching,
        alignment=text(config["alignment"]),
        displacements=text(DISPLACEMENTS),
        seed=config["training_seed"],
        evaluation=bootstrap(),
    shell:
        step("displace", FOLD, "images annotations folds faces matcher", "metrics replicates")


rule score_variants:
    input:
        images=recordings("images"),
        folds=rules.fold.output.folds,
        predictions=rules.stress.output.predictions,
        matcher=rules.train_matcher.output.matcher,
    output:
        metrics=f"{FOLDER}/{{model}}/score_variants/metrics.parquet",
        replicates=f"{FOLDER}/{{model}}/score_variants/replicates.parquet",
    log:
        f"{RESULTS}/logs/score_variants/{{protocol}}-{{fold}}-{{model}}.log",
    group:
        small("verify")
    conda:
        "../../envs/landmarks.yaml"
    resources:
        mem_mb=memory("score_variants"),
        runtime=runtime("score_variants"),
    params:
        code=code("steps.score_variants", *parts()),
        dataset=dataset_of,
        settings=matching,
        alignment=text(config["alignment"]),
        variants=text(VARIANTS),
        evaluation=bootstrap(),
    shell:
        step("score_variants", MODEL, "images folds predictions matcher", "metrics replicates")


rule spread:
    input:
        images=of(used_datasets(), "images.parquet"),
        annotations=of(used_datasets(), "annotations.parquet"),
        folds=every(rules.fold.output.folds, LOCATED),
        predictions=every(rules.predict.output.predictions, LOCATED),
    output:
        spread=f"{RESULTS}/compare/spread.parquet",
    log:
        f"{RESULTS}/logs/spread/all.log",
    group:
        small("report")
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=memory("spread"),
        runtime=runtime("spread"),
    params:
        code=code("steps.spread"),
        dataset=used_datasets(),
        protocols=of_protocols("dataset", "train_subjects"),
        models=text(seeds()),
        settings=text(config["evaluation"]),
    shell:
        step("spread", ALL, "images annotations folds predictions", "spread")
