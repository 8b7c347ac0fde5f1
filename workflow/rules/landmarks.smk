rule train:
    input:
        images=table("images"),
        annotations=table("annotations"),
        boxes=table("boxes"),
        folds=rules.fold.output.folds,
    output:
        state=f"{FOLDER}/{{model}}/state.safetensors",
        curve=f"{FOLDER}/{{model}}/curve.parquet",
    log:
        f"{RESULTS}/logs/train/{{protocol}}-{{fold}}-{{model}}.log",
    wildcard_constraints:
        model="|".join(MODELS),
    priority: 1
    conda:
        "../../envs/landmarks.yaml"
    threads: config["threads"]["train"]
    resources:
        gpu=gpu,
        mem_mb=4000,
        runtime=720,
    params:
        code=code("steps.train", "landmarks.{detector}"),
        detector=lambda w: detector_of(w.model),
        settings=settings_of,
        seed=seed_of,
        modality=probe_modality,
        checkpoint=f"{FOLDER}/{{model}}/checkpoint.pt",
    shell:
        "python -m thermalign train --log {log:q}"
        " --job {wildcards.protocol}/fold{wildcards.fold}/{wildcards.model}"
        " --images {input.images:q} --annotations {input.annotations:q} --boxes {input.boxes:q}"
        " --folds {input.folds:q} --protocol {wildcards.protocol} --fold {wildcards.fold}"
        " --model {wildcards.model} --detector {params.detector} --settings {params.settings:q}"
        " --seed {params.seed} --modality {params.modality} --state {output.state:q}"
        " --curve {output.curve:q} --checkpoint {params.checkpoint:q} --code {params.code}"


rule predict:
    input:
        images=table("images"),
        boxes=table("boxes"),
        folds=rules.fold.output.folds,
        state=rules.train.output.state,
    output:
        predictions=f"{FOLDER}/{{model}}/predictions.parquet",
    log:
        f"{RESULTS}/logs/predict/{{protocol}}-{{fold}}-{{model}}.log",
    wildcard_constraints:
        model="|".join(MODELS),
    conda:
        "../../envs/landmarks.yaml"
    threads: 1
    resources:
        gpu=gpu,
        mem_mb=3000,
        runtime=120,
    params:
        code=code("steps.predict", "landmarks.{detector}"),
        detector=lambda w: detector_of(w.model),
        settings=settings_of,
        modality=probe_modality,
    shell:
        "python -m thermalign predict --log {log:q}"
        " --job {wildcards.protocol}/fold{wildcards.fold}/{wildcards.model}"
        " --images {input.images:q} --boxes {input.boxes:q} --folds {input.folds:q}"
        " --state {input.state:q} --protocol {wildcards.protocol} --fold {wildcards.fold}"
        " --model {wildcards.model} --detector {params.detector} --settings {params.settings:q}"
        " --modality {params.modality} --predictions {output.predictions:q} --code {params.code}"


rule annotated:
    input:
        images=table("images"),
        annotations=table("annotations"),
        folds=rules.fold.output.folds,
    output:
        predictions=f"{FOLDER}/annotated/predictions.parquet",
    log:
        f"{RESULTS}/logs/annotated/{{protocol}}-{{fold}}.log",
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("steps.annotated"),
    shell:
        "python -m thermalign annotated --log {log:q}"
        " --job {wildcards.protocol}/fold{wildcards.fold} --images {input.images:q}"
        " --annotations {input.annotations:q} --folds {input.folds:q}"
        " --protocol {wildcards.protocol} --fold {wildcards.fold}"
        " --predictions {output.predictions:q} --code {params.code}"
