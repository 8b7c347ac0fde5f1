rule detect:
    input:
        images=table("images"),
        boxes=table("boxes"),
        folds=rules.fold.output.folds,
        state=rules.train.output.state,
    output:
        detections=f"{FOLDER}/{{model}}/detections.parquet",
        metrics=f"{FOLDER}/{{model}}/detect/metrics.parquet",
        replicates=f"{FOLDER}/{{model}}/detect/replicates.parquet",
    log:
        f"{RESULTS}/logs/detect/{{protocol}}-{{fold}}-{{model}}.log",
    wildcard_constraints:
        model="|".join(MODELS),
    conda:
        "../../envs/landmarks.yaml"
    threads: 1
    resources:
        gpu=gpu,
        mem_mb=4000,
        runtime=120,
    params:
        code=code("steps.detect", "landmarks.{detector}"),
        detector=lambda w: detector_of(w.model),
        settings=settings_of,
        modality=probe_modality,
        evaluation=bootstrap(),
    shell:
        "python -m thermalign detect --log {log:q}"
        " --job {wildcards.protocol}/fold{wildcards.fold}/{wildcards.model}"
        " --images {input.images:q} --boxes {input.boxes:q} --folds {input.folds:q}"
        " --state {input.state:q} --protocol {wildcards.protocol} --fold {wildcards.fold}"
        " --model {wildcards.model} --detector {params.detector} --settings {params.settings:q}"
        " --modality {params.modality} --evaluation {params.evaluation:q}"
        " --detections {output.detections:q} --metrics {output.metrics:q}"
        " --replicates {output.replicates:q} --code {params.code}"


rule stress:
    input:
        images=recordings("images"),
        annotations=recordings("annotations"),
        boxes=recordings("boxes"),
        detections=[f"{FOLDER}/{m}/detections.parquet" for m in varied("detector")],
        folds=rules.fold.output.folds,
        state=rules.train.output.state,
    output:
        predictions=f"{FOLDER}/{{model}}/stress/predictions.parquet",
        metrics=f"{FOLDER}/{{model}}/stress/metrics.parquet",
        replicates=f"{FOLDER}/{{model}}/stress/replicates.parquet",
    log:
        f"{RESULTS}/logs/stress/{{protocol}}-{{fold}}-{{model}}.log",
    wildcard_constraints:
        model="|".join(MODELS),
    conda:
        "../../envs/landmarks.yaml"
    threads: 1
    resources:
        gpu=gpu,
        mem_mb=4000,
        runtime=120,
    params:
        code=code("steps.stress", "landmarks.{detector}"),
        detector=lambda w: detector_of(w.model),
        settings=settings_of,
        modality=probe_modality,
        variants=text(VARIANTS),
        evaluation=bootstrap(),
    shell:
        "python -m thermalign stress --log {log:q}"
        " --job {wildcards.protocol}/fold{wildcards.fold}/{wildcards.model}"
        " --images {input.images:q} --annotations {input.annotations:q} --boxes {input.boxes:q}"
        " --detections {input.detections:q} --folds {input.folds:q} --state {input.state:q}"
        " --protocol {wildcards.protocol} --fold {wildcards.fold} --model {wildcards.model}"
        " --detector {params.detector} --settings {params.settings:q}"
        " --modality {params.modality} --variants {params.variants:q}"
        " --evaluation {params.evaluation:q} --predictions {output.predictions:q}"
        " --metrics {output.metrics:q} --replicates {output.replicates:q} --code {params.code}"
