rule align:
    input:
        images=table("images"),
        predictions=f"{FOLDER}/{{model}}/predictions.parquet",
    output:
        faces=f"{FOLDER}/{{model}}/faces.parquet",
    log:
        f"{RESULTS}/logs/align/{{protocol}}-{{fold}}-{{model}}.log",
    conda:
        "../../envs/landmarks.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        code=code("steps.align"),
        settings=text(config["alignment"]),
    shell:
        "python -m thermalign align --log {log:q}"
        " --job {wildcards.protocol}/fold{wildcards.fold}/{wildcards.model}"
        " --images {input.images:q} --predictions {input.predictions:q}"
        " --protocol {wildcards.protocol} --fold {wildcards.fold} --model {wildcards.model}"
        " --settings {params.settings:q} --faces {output.faces:q} --code {params.code}"


rule train_matcher:
    input:
        images=table("images"),
        folds=rules.fold.output.folds,
        faces=f"{FOLDER}/annotated/faces.parquet",
    output:
        matcher=f"{FOLDER}/matcher.safetensors",
    log:
        f"{RESULTS}/logs/train_matcher/{{protocol}}-{{fold}}.log",
    conda:
        "../../envs/landmarks.yaml"
    threads: 1
    resources:
        gpu=gpu,
        mem_mb=6000,
        runtime=120,
    params:
        code=code("steps.train_matcher"),
        settings=matching,
        evaluation=text({"tar_at_far": config["evaluation"]["tar_at_far"]}),
        seed=config["training_seed"],
    shell:
        "python -m thermalign train_matcher --log {log:q}"
        " --job {wildcards.protocol}/fold{wildcards.fold} --images {input.images:q}"
        " --folds {input.folds:q} --faces {input.faces:q} --fold {wildcards.fold}"
        " --settings {params.settings:q} --evaluation {params.evaluation:q}"
        " --seed {params.seed} --matcher {output.matcher:q}"
        " --code {params.code}"


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
    conda:
        "../../envs/landmarks.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=code("steps.score"),
        settings=matching,
    shell:
        "python -m thermalign score --log {log:q}"
        " --job {wildcards.protocol}/fold{wildcards.fold}/{wildcards.model}"
        " --images {input.images:q} --folds {input.folds:q} --predictions {input.predictions:q}"
        " --faces {input.faces:q} --matcher {input.matcher:q} --protocol {wildcards.protocol}"
        " --fold {wildcards.fold} --model {wildcards.model} --settings {params.settings:q}"
        " --scores {output.scores:q} --code {params.code}"


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
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        code=code("steps.measure"),
        headline=headline,
        settings=text(config["evaluation"]),
    shell:
        "python -m thermalign measure --log {log:q}"
        " --job {wildcards.protocol}/fold{wildcards.fold}/{wildcards.model}"
        " --images {input.images:q} --annotations {input.annotations:q} --boxes {input.boxes:q}"
        " --attributes {input.attributes:q} --folds {input.folds:q}"
        " --predictions {input.predictions:q} --scores {input.scores:q}"
        " --protocol {wildcards.protocol} --fold {wildcards.fold} --model {wildcards.model}"
        " --headline {params.headline:q}"
        " --settings {params.settings:q} --metrics {output.metrics:q}"
        " --replicates {output.replicates:q} --code {params.code}"


rule compare:
    input:
        images=[f"{RESULTS}/data/{d}/images.parquet" for d in used_datasets()],
        annotations=[f"{RESULTS}/data/{d}/annotations.parquet" for d in used_datasets()],
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
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=code("steps.compare"),
        datasets=text({p: s["dataset"] for p, s in PROTOCOLS.items()}),
        headlines=text({p: s["same_moment"][0] for p, s in PROTOCOLS.items()}),
        settings=text(config["evaluation"]),
        displacements=text(DISPLACEMENTS),
    shell:
        "python -m thermalign compare --log {log:q} --job all --images {input.images:q}"
        " --annotations {input.annotations:q} --folds {input.folds:q}"
        " --predictions {input.predictions:q} --scores {input.scores:q}"
        " --metrics {input.metrics:q} --replicates {input.replicates:q}"
        " --joined_metrics {input.joined_metrics:q} --joined_replicates {input.joined_replicates:q}"
        " --datasets {params.datasets:q} --headlines {params.headlines:q} --settings {params.settings:q}"
        " --displacements {params.displacements:q} --summary {output.summary:q}"
        " --differences {output.differences:q} --code {params.code}"
