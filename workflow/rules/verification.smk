rule align:
    input:
        images=table("images"),
        predictions=f"{FOLDER}/{{model}}/predictions.parquet",
    output:
        faces=f"{FOLDER}/{{model}}/faces.parquet",
    log:
        f"{RESULTS}/logs/align/{{protocol}}-{{fold}}-{{model}}.log",
    wildcard_constraints:
        model=one_of(ALIGNED),
    group:
        aligned_for
    conda:
        "../../envs/landmarks.yaml"
    resources:
        mem_mb=memory("align"),
        runtime=runtime("align"),
    params:
        code=code("steps.align"),
        settings=text(config["alignment"]),
    shell:
        step("align", MODEL, "images predictions", "faces")


rule train_network:
    input:
        images=lambda w: of([network(w)["dataset"]], "images.parquet"),
        annotations=lambda w: of([network(w)["dataset"]], "annotations.parquet"),
    output:
        state=f"{RESULTS}/networks/{{network}}/state.safetensors",
    log:
        f"{RESULTS}/logs/train_network/{{network}}.log",
    priority: 1
    conda:
        "../../envs/landmarks.yaml"
    threads: config["threads"]["train"]
    resources:
        gpu=gpu,
        mem_mb=memory("train_network"),
        runtime=runtime("train_network"),
    params:
        code=code("steps.train_network"),
        dataset=lambda w: network(w)["dataset"],
        adapter=lambda w: config["datasets"][network(w)["dataset"]]["adapter"],
        settings=lambda w: text({k: v for k, v in network(w).items() if k != "dataset"}),
        matcher=text({k: config["matcher"][k] for k in ("dog", "features")}),
        alignment=text(config["alignment"]),
        seed=config["training_seed"],
        checkpoint=f"{RESULTS}/networks/{{network}}/checkpoint.pt",
    shell:
        step("train_network", NETWORK, "images annotations", "state")


rule train_matcher:
    input:
        images=table("images"),
        folds=rules.fold.output.folds,
        faces=f"{FOLDER}/annotated/faces.parquet",
        networks=networks(),
    output:
        matcher=f"{FOLDER}/matcher.safetensors",
    log:
        f"{RESULTS}/logs/train_matcher/{{protocol}}-{{fold}}.log",
    group:
        small("matcher")
    conda:
        "../../envs/landmarks.yaml"
    resources:
        mem_mb=memory("train_matcher"),
        runtime=runtime("train_matcher"),
    params:
        code=code("steps.train_matcher", *parts()),
        settings=matching,
        evaluation=text({"tar_at_far": config["evaluation"]["tar_at_far"]}),
        seed=config["training_seed"],
    shell:
        step("train_matcher", FOLD, "images folds faces networks", "matcher")


rule score:
    input:
        images=table("images"),
        folds=rules.fold.output.folds,
        predictions=f"{FOLDER}/{{model}}/predictions.parquet",
        faces=rules.align.output.faces,
        matcher=rules.train_matcher.output.matcher,
    output:
        scores=f"{FOLDER}/{{model}}/scores.parquet",
    log:
        f"{RESULTS}/logs/score/{{protocol}}-{{fold}}-{{model}}.log",
    wildcard_constraints:
        model=one_of(ALIGNED),
    group:
        small("verify")
    conda:
        "../../envs/landmarks.yaml"
    resources:
        mem_mb=memory("score"),
        runtime=runtime("score"),
    params:
        code=code("steps.score", *parts()),
        settings=matching,
    shell:
        step("score", MODEL, "images folds predictions faces matcher", "scores")


rule import_scores:
    input:
        images=table("images"),
        folds=rules.fold.output.folds,
        faces=f"{FOLDER}/annotated/faces.parquet",
        source=source_of,
    output:
        scores=f"{FOLDER}/{{model}}/scores.parquet",
        predictions=f"{FOLDER}/{{model}}/predictions.parquet",
    log:
        f"{RESULTS}/logs/import_scores/{{protocol}}-{{fold}}-{{model}}.log",
    wildcard_constraints:
        model=one_of(MATCHED),
    group:
        small("verify")
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=memory("import_scores"),
        runtime=runtime("import_scores"),
    params:
        code=code("steps.import_scores"),
        dataset=dataset_of,
        roles=lambda w: text(roles_of(config, w.protocol)),
        thresholds=lambda w: text(MATCHED[w.model].thresholds),
        content=content_of_source,
    shell:
        step("import_scores", MODEL, "images folds faces source", "scores predictions")


rule measure:
    input:
        images=table("images"),
        annotations=table("annotations"),
        boxes=table("boxes"),
        attributes=table("attributes"),
        folds=rules.fold.output.folds,
        predictions=f"{FOLDER}/{{model}}/predictions.parquet",
        scores=rules.score.output.scores,
    output:
        metrics=f"{FOLDER}/{{model}}/metrics.parquet",
        replicates=f"{FOLDER}/{{model}}/replicates.parquet",
    log:
        f"{RESULTS}/logs/measure/{{protocol}}-{{fold}}-{{model}}.log",
    wildcard_constraints:
        model=one_of([*ALIGNED, *MATCHED]),
    group:
        small("verify")
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=memory("measure"),
        runtime=runtime("measure"),
    params:
        code=code("steps.measure", *further_metrics()),
        dataset=dataset_of,
        headline=headline,
        reject=rejected,
        settings=text(config["evaluation"]),
    shell:
        step(
            "measure",
            MODEL,
            "images annotations boxes attributes folds predictions scores",
            "metrics replicates",
        )


rule compare:
    input:
        images=of(used_datasets(), "images.parquet"),
        annotations=of(used_datasets(), "annotations.parquet"),
        folds=every(rules.fold.output.folds, [""]),
        predictions=every(f"{FOLDER}/{{model}}/predictions.parquet"),
        scores=every(rules.score.output.scores),
        metrics=every(rules.measure.output.metrics),
        replicates=every(rules.measure.output.replicates),
        joined_metrics=aside("metrics"),
        joined_replicates=aside("replicates"),
    output:
        summary=f"{RESULTS}/compare/summary.parquet",
        differences=f"{RESULTS}/compare/differences.parquet",
    log:
        f"{RESULTS}/logs/compare/all.log",
    group:
        small("report")
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=memory("compare"),
        runtime=runtime("compare"),
    params:
        code=code("steps.compare"),
        dataset=used_datasets(),
        datasets=text({p: s["dataset"] for p, s in PROTOCOLS.items()}),
        headlines=text({p: s["same_moment"][0] for p, s in PROTOCOLS.items()}),
        settings=text(config["evaluation"]),
        displacements=text(DISPLACEMENTS),
        firsts=text(firsts(config)),
    shell:
        step(
            "compare",
            ALL,
            "images annotations folds predictions scores metrics replicates joined_metrics joined_replicates",
            "summary differences",
        )
