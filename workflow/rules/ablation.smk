rule ablate:
    input:
        images=table("images"),
        folds=rules.fold.output.folds,
        faces=f"{FOLDER}/annotated/faces.parquet",
        matcher=rules.train_matcher.output.matcher,
    output:
        metrics=f"{FOLDER}/annotated/ablate/metrics.parquet",
        replicates=f"{FOLDER}/annotated/ablate/replicates.parquet",
    log:
        f"{RESULTS}/logs/ablate/{{protocol}}-{{fold}}.log",
    conda:
        "../../envs/landmarks.yaml"
    threads: 1
    resources:
        gpu=gpu,
        mem_mb=6000,
        runtime=120,
    params:
        code=code("steps.ablate"),
        settings=matching,
        ablation=text(ABLATION),
        seed=config["training_seed"],
        evaluation=bootstrap(),
    shell:
        "python -m thermalign ablate --log {log:q}"
        " --job {wildcards.protocol}/fold{wildcards.fold} --images {input.images:q}"
        " --folds {input.folds:q} --faces {input.faces:q} --matcher {input.matcher:q}"
        " --protocol {wildcards.protocol} --fold {wildcards.fold} --model annotated"
        " --settings {params.settings:q} --ablation {params.ablation:q} --seed {params.seed}"
        " --evaluation {params.evaluation:q} --metrics {output.metrics:q}"
        " --replicates {output.replicates:q} --code {params.code}"


rule sweep:
    input:
        images=table("images"),
        folds=rules.fold.output.folds,
        faces=f"{FOLDER}/annotated/faces.parquet",
    output:
        metrics=f"{FOLDER}/annotated/sweep/metrics.parquet",
        replicates=f"{FOLDER}/annotated/sweep/replicates.parquet",
    log:
        f"{RESULTS}/logs/sweep/{{protocol}}-{{fold}}.log",
    conda:
        "../../envs/landmarks.yaml"
    threads: 1
    resources:
        gpu=gpu,
        mem_mb=6000,
        runtime=120,
    params:
        code=code("steps.sweep"),
        settings=matching,
        sweep=text(SWEEP),
        seed=config["training_seed"],
        evaluation=bootstrap(),
    shell:
        "python -m thermalign sweep --log {log:q}"
        " --job {wildcards.protocol}/fold{wildcards.fold} --images {input.images:q}"
        " --folds {input.folds:q} --faces {input.faces:q}"
        " --protocol {wildcards.protocol} --fold {wildcards.fold} --model annotated"
        " --settings {params.settings:q} --sweep {params.sweep:q} --seed {params.seed}"
        " --evaluation {params.evaluation:q} --metrics {output.metrics:q}"
        " --replicates {output.replicates:q} --code {params.code}"


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
    threads: 1
    resources:
        gpu=gpu,
        mem_mb=6000,
        runtime=120,
    params:
        code=code("steps.displace"),
        settings=matching,
        alignment=text(config["alignment"]),
        displacements=text(DISPLACEMENTS),
        seed=config["training_seed"],
        evaluation=bootstrap(),
    shell:
        "python -m thermalign displace --log {log:q}"
        " --job {wildcards.protocol}/fold{wildcards.fold} --images {input.images:q}"
        " --annotations {input.annotations:q} --folds {input.folds:q} --faces {input.faces:q}"
        " --matcher {input.matcher:q} --protocol {wildcards.protocol} --fold {wildcards.fold}"
        " --model annotated --settings {params.settings:q} --alignment {params.alignment:q}"
        " --displacements {params.displacements:q} --seed {params.seed}"
        " --evaluation {params.evaluation:q} --metrics {output.metrics:q}"
        " --replicates {output.replicates:q} --code {params.code}"


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
    wildcard_constraints:
        model="|".join(MODELS),
    conda:
        "../../envs/landmarks.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        code=code("steps.score_variants"),
        settings=matching,
        alignment=text(config["alignment"]),
        variants=text(VARIANTS),
        evaluation=bootstrap(),
    shell:
        "python -m thermalign score_variants --log {log:q}"
        " --job {wildcards.protocol}/fold{wildcards.fold}/{wildcards.model}"
        " --images {input.images:q} --folds {input.folds:q} --predictions {input.predictions:q}"
        " --matcher {input.matcher:q} --protocol {wildcards.protocol} --fold {wildcards.fold}"
        " --model {wildcards.model} --settings {params.settings:q}"
        " --alignment {params.alignment:q} --variants {params.variants:q}"
        " --evaluation {params.evaluation:q} --metrics {output.metrics:q}"
        " --replicates {output.replicates:q} --code {params.code}"
