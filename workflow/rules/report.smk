rule describe:
    input:
        images=rules.ingest.output.images,
        annotations=rules.ingest.output.annotations,
        boxes=rules.ingest.output.boxes,
        findings=rules.ingest.output.findings,
    output:
        card=f"{RESULTS}/data/{{dataset}}/card.parquet",
        likeness=f"{RESULTS}/data/{{dataset}}/likeness.parquet",
        contact=report(
            f"{RESULTS}/data/{{dataset}}/contact.png",
            caption="../report/contact.rst",
            category="Data",
            labels={"dataset": "{dataset}", "sheet": "faces"},
        ),
        marked=report(
            f"{RESULTS}/data/{{dataset}}/marked.png",
            caption="../report/marked.rst",
            category="Data",
            labels={"dataset": "{dataset}", "sheet": "boxes and landmarks"},
        ),
    log:
        f"{RESULTS}/logs/describe/{{dataset}}.log",
    group:
        small("report")
    conda:
        "../../envs/report.yaml"
    resources:
        mem_mb=memory("describe"),
        runtime=runtime("describe"),
    params:
        code=code("steps.describe"),
    shell:
        step(
            "describe",
            DATASET,
            "images annotations boxes findings",
            "card likeness contact marked",
        )


rule report:
    input:
        images=of(shown_datasets(), "images.parquet"),
        annotations=of(shown_datasets(), "annotations.parquet"),
        boxes=of(shown_datasets(), "boxes.parquet"),
        cards=of(shown_datasets(), "card.parquet"),
        likenesses=of(shown_datasets(), "likeness.parquet"),
        contacts=of(shown_datasets(), "contact.png"),
        marked=of(shown_datasets(), "marked.png"),
        recordings=of(varied("dataset"), "images.parquet"),
        summary=rules.compare.output.summary,
        differences=rules.compare.output.differences,
        spread=rules.spread.output.spread,
        curves=every(rules.train.output.curve, MODELS),
        predictions=every(rules.predict.output.predictions, LOCATED),
    output:
        page=report(
            f"{RESULTS}/report/index.html",
            caption="../report/page.rst",
            category="Report",
            labels={"page": "the whole report"},
        ),
        figures=report(
            directory(f"{RESULTS}/report/figures"),
            patterns=["{chapter}/{part}/{figure}.svg"],
            caption="../report/figures.rst",
            category="Figures",
            subcategory="{chapter}",
            labels={"of": "{part}", "figure": "{figure}"},
        ),
        csv=report(
            directory(f"{RESULTS}/report/tables"),
            patterns=["{table,[a-z]+}.csv"],
            caption="../report/tables.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
    log:
        f"{RESULTS}/logs/report/all.log",
    group:
        small("report")
    conda:
        "../../envs/report.yaml"
    resources:
        mem_mb=memory("report"),
        runtime=runtime("report"),
    params:
        code=code("steps.report"),
        dataset=shown_datasets(),
        recorded=varied("dataset"),
        config=lambda w: text(  # braces in it are no wildcards of this rule
            {k: v for k, v in config.items() if k not in ("threads", "detector")}
        ),
        seeds=text(repeated()),
        logs=f"{RESULTS}/logs",
    shell:
        step(
            "report",
            ALL,
            "images annotations boxes cards likenesses contacts marked recordings summary differences spread curves predictions",
            "page figures csv",
        )


rule pack:
    input:
        states=taken("{protocol}/fold{fold}/{model}/state.safetensors"),
        curves=taken("{protocol}/fold{fold}/{model}/curve.parquet"),
        images=taken("data/{dataset}/images.parquet"),
        annotations=taken("data/{dataset}/annotations.parquet"),
        boxes=taken("data/{dataset}/boxes.parquet"),
        folds=taken("{protocol}/fold{fold}/folds.parquet"),
        predictions=taken("{protocol}/fold{fold}/{model}/predictions.parquet", "landmarks"),
        detections=taken("{protocol}/fold{fold}/{model}/detections.parquet", "finder"),
        recorded=recorded_faces,
        beside=[f"{BESIDE}/metrics.parquet"] if BESIDE else [],
    output:
        landmarks=f"{RESULTS}/detector/landmarks.safetensors",
        finder=f"{RESULTS}/detector/finder.safetensors",
        metrics=f"{RESULTS}/detector/metrics.parquet",
        card=f"{RESULTS}/detector/MODEL_CARD.md",
    log:
        f"{RESULTS}/logs/pack/all.log",
    conda:
        "../../envs/deploy.yaml"
    resources:
        mem_mb=memory("pack"),
        runtime=runtime("pack"),
    params:
        code=code("steps.pack", *landmark_modules()),
        parts=text(TAKEN),
        datasets=lambda w: text({d: dataset_block(config, d) for d in of_taken("dataset")}),
        asked=text(RECORDED),
        settings=text(config["evaluation"]),
        # No output: whether it is written is known where the job runs alone (the extra, the model).
        onnx=f"{RESULTS}/detector/landmarks.onnx",
    shell:
        step(
            "pack",
            ALL,
            "states curves images annotations boxes folds predictions detections recorded beside",
            "landmarks finder metrics card",
        )
