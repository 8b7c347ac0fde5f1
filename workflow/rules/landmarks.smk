rule train:
    input:
        images=table("images"),
        annotations=table("annotations"),
        boxes=table("boxes"),
        folds=rules.fold.output.folds,
        init=initial_of,
    output:
        state=f"{FOLDER}/{{model}}/state.safetensors",
        curve=f"{FOLDER}/{{model}}/curve.parquet",
    log:
        f"{RESULTS}/logs/train/{{protocol}}-{{fold}}-{{model}}.log",
    priority: 1
    group:
        trained
    conda:
        "../../envs/landmarks.yaml"
    threads: config["threads"]["train"]
    resources:
        gpu=gpu,
        mem_mb=memory("train"),
        runtime=runtime("train"),
    params:
        code=code("steps.train", "landmarks.{detector}"),
        detector=detector_of,
        settings=settings_of,
        seed=seed_of,
        modality=probe_modality,
        checkpoint=f"{FOLDER}/{{model}}/checkpoint.pt",
        initial=content_of_initial,
    shell:
        step("train", MODEL, "images annotations boxes folds init", "state curve")


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
    group:
        trained
    conda:
        "../../envs/landmarks.yaml"
    resources:
        gpu=gpu,
        mem_mb=memory("predict"),
        runtime=runtime("predict"),
    params:
        code=code("steps.predict", "landmarks.{detector}"),
        detector=detector_of,
        settings=settings_of,
        modality=probe_modality,
    shell:
        step("predict", MODEL, "images boxes folds state", "predictions")


rule annotated:
    input:
        images=table("images"),
        annotations=table("annotations"),
        folds=rules.fold.output.folds,
    output:
        predictions=f"{FOLDER}/annotated/predictions.parquet",
    log:
        f"{RESULTS}/logs/annotated/{{protocol}}-{{fold}}.log",
    group:
        small("tables")
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=memory("annotated"),
        runtime=runtime("annotated"),
    params:
        code=code("steps.annotated"),
    shell:
        step("annotated", FOLD, "images annotations folds", "predictions")


rule import_points:
    input:
        images=table("images"),
        folds=rules.fold.output.folds,
        source=source_of,
    output:
        predictions=f"{FOLDER}/{{model}}/predictions.parquet",
    log:
        f"{RESULTS}/logs/import_points/{{protocol}}-{{fold}}-{{model}}.log",
    wildcard_constraints:
        model=one_of(PLACED),
    group:
        small("tables")
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=memory("import_points"),
        runtime=runtime("import_points"),
    params:
        code=code("steps.import_points"),
        dataset=dataset_of,
        modality=probe_modality,
        content=content_of_source,
    shell:
        step("import_points", MODEL, "images folds source", "predictions")


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
    conda:
        "../../envs/landmarks.yaml"
    resources:
        gpu=gpu,
        mem_mb=memory("detect"),
        runtime=runtime("detect"),
    params:
        code=code("steps.detect", "landmarks.{detector}"),
        dataset=dataset_of,
        detector=detector_of,
        settings=settings_of,
        modality=probe_modality,
        evaluation=bootstrap(),
    shell:
        step("detect", MODEL, "images boxes folds state", "detections metrics replicates")


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
    conda:
        "../../envs/landmarks.yaml"
    resources:
        gpu=gpu,
        mem_mb=memory("stress"),
        runtime=runtime("stress"),
    params:
        code=code("steps.stress", "landmarks.{detector}"),
        dataset=dataset_of,
        detector=detector_of,
        settings=settings_of,
        modality=probe_modality,
        variants=text(VARIANTS),
        evaluation=bootstrap(),
    shell:
        step(
            "stress",
            MODEL,
            "images annotations boxes detections folds state",
            "predictions metrics replicates",
        )
