rule fold_across:
    input:
        images=table("images"),
        folds=rules.fold.output.folds,
        visited=visited("images"),
    output:
        admitted=f"{FOLDER}/annotated/fold_across/{{other}}/folds.parquet",
    log:
        f"{RESULTS}/logs/fold_across/{{protocol}}-{{fold}}-{{other}}.log",
    priority: 2
    group:
        small("tables")
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=memory("fold_across"),
        runtime=runtime("fold_across"),
    params:
        code=code("steps.fold_across"),
        dataset=dataset_of,
        people=people_across,
    shell:
        step("fold_across", FOLD_ACROSS, "images folds visited", "admitted")


rule predict_across:
    input:
        images=visited("images"),
        annotations=visited("annotations"),
        boxes=visited("boxes"),
        admitted=rules.fold_across.output.admitted,
        state=rules.train.output.state,
    output:
        predictions=f"{FOLDER}/{{model}}/predict_across/{{other}}/predictions.parquet",
        metrics=f"{FOLDER}/{{model}}/predict_across/{{other}}/metrics.parquet",
        replicates=f"{FOLDER}/{{model}}/predict_across/{{other}}/replicates.parquet",
    log:
        f"{RESULTS}/logs/predict_across/{{protocol}}-{{fold}}-{{model}}-{{other}}.log",
    conda:
        "../../envs/landmarks.yaml"
    resources:
        gpu=gpu,
        mem_mb=memory("predict_across"),
        runtime=runtime("predict_across"),
    params:
        code=code("steps.predict_across", "landmarks.{detector}"),
        dataset=dataset_of,
        detector=detector_of,
        settings=settings_of,
        visited=lambda w: ACROSS[w.other]["dataset"],
        modality=lambda w: ACROSS[w.other]["probe"]["modality"],
        landmarks=lambda w: ACROSS[w.other]["landmarks"],
        evaluation=bootstrap(),
    shell:
        step(
            "predict_across",
            MODEL_ACROSS,
            "images annotations boxes admitted state",
            "predictions metrics replicates",
        )


rule import_points_across:
    input:
        images=visited("images"),
        annotations=visited("annotations"),
        admitted=rules.fold_across.output.admitted,
        source=source_of,
    output:
        predictions=f"{FOLDER}/{{model}}/predict_across/{{other}}/predictions.parquet",
        metrics=f"{FOLDER}/{{model}}/predict_across/{{other}}/metrics.parquet",
        replicates=f"{FOLDER}/{{model}}/predict_across/{{other}}/replicates.parquet",
    log:
        f"{RESULTS}/logs/import_points_across/{{protocol}}-{{fold}}-{{model}}-{{other}}.log",
    wildcard_constraints:
        model=one_of(PLACED),
    group:
        small("tables")
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=memory("import_points_across"),
        runtime=runtime("import_points_across"),
    params:
        code=code("steps.import_points_across"),
        dataset=dataset_of,
        visited=lambda w: ACROSS[w.other]["dataset"],
        modality=lambda w: ACROSS[w.other]["probe"]["modality"],
        landmarks=lambda w: ACROSS[w.other]["landmarks"],
        content=content_of_source,
        evaluation=bootstrap(),
    shell:
        step(
            "import_points_across",
            MODEL_ACROSS,
            "images annotations admitted source",
            "predictions metrics replicates",
        )


rule enrol_across:
    input:
        images=table("images"),
        folds=rules.fold.output.folds,
        faces=f"{FOLDER}/annotated/faces.parquet",
        matcher=rules.train_matcher.output.matcher,
        visited=visited("images"),
        annotations=visited("annotations"),
        admitted=rules.fold_across.output.admitted,
    output:
        enrolled=f"{FOLDER}/annotated/enrol_across/{{other}}/matcher.safetensors",
        metrics=f"{FOLDER}/annotated/enrol_across/{{other}}/metrics.parquet",
        replicates=f"{FOLDER}/annotated/enrol_across/{{other}}/replicates.parquet",
    log:
        f"{RESULTS}/logs/enrol_across/{{protocol}}-{{fold}}-{{other}}.log",
    conda:
        "../../envs/landmarks.yaml"
    resources:
        mem_mb=memory("enrol_across"),
        runtime=runtime("enrol_across"),
    params:
        code=code("steps.enrol_across", *parts()),
        dataset=dataset_of,
        model="annotated",
        settings=matching,
        alignment=text(config["alignment"]),
        seed=config["training_seed"],
        evaluation=bootstrap(),
    shell:
        step(
            "enrol_across",
            FOLD_ACROSS,
            "images folds faces matcher visited annotations admitted",
            "enrolled metrics replicates",
        )


rule score_across:
    input:
        images=visited("images"),
        admitted=rules.fold_across.output.admitted,
        predictions=rules.predict_across.output.predictions,
        enrolled=rules.enrol_across.output.enrolled,
    output:
        metrics=f"{FOLDER}/{{model}}/score_across/{{other}}/metrics.parquet",
        replicates=f"{FOLDER}/{{model}}/score_across/{{other}}/replicates.parquet",
    log:
        f"{RESULTS}/logs/score_across/{{protocol}}-{{fold}}-{{model}}-{{other}}.log",
    wildcard_constraints:
        model=one_of(VISITING),
    group:
        small("verify")
    conda:
        "../../envs/landmarks.yaml"
    resources:
        mem_mb=memory("score_across"),
        runtime=runtime("score_across"),
    params:
        code=code("steps.score_across", *parts()),
        dataset=dataset_of,
        settings=matching,
        alignment=text(config["alignment"]),
        evaluation=bootstrap(),
    shell:
        step(
            "score_across",
            MODEL_ACROSS,
            "images admitted predictions enrolled",
            "metrics replicates",
        )
