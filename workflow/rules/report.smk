rule describe:
    input:
        images=rules.ingest.output.images,
        annotations=rules.ingest.output.annotations,
        boxes=rules.ingest.output.boxes,
    output:
        card=f"{RESULTS}/data/{{dataset}}/card.parquet",
        likeness=f"{RESULTS}/data/{{dataset}}/likeness.parquet",
        contact=f"{RESULTS}/data/{{dataset}}/contact.png",
        marked=f"{RESULTS}/data/{{dataset}}/marked.png",
    log:
        f"{RESULTS}/logs/describe/{{dataset}}.log",
    conda:
        "../../envs/report.yaml"
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        code=code("steps.describe"),
    shell:
        step("describe", DATASET, "images annotations boxes", "card likeness contact marked")


rule report:
    input:
        images=of(used_datasets(), "images.parquet"),
        annotations=of(used_datasets(), "annotations.parquet"),
        boxes=of(used_datasets(), "boxes.parquet"),
        cards=of(used_datasets(), "card.parquet"),
        likenesses=of(used_datasets(), "likeness.parquet"),
        contacts=of(used_datasets(), "contact.png"),
        marked=of(used_datasets(), "marked.png"),
        recordings=of(varied("dataset"), "images.parquet"),
        summary=rules.compare.output.summary,
        differences=rules.compare.output.differences,
        spread=rules.spread.output.spread,
        curves=every(rules.train.output.curve, MODELS),
        predictions=every(rules.predict.output.predictions, MODELS),
    output:
        page=f"{RESULTS}/report/index.html",
    log:
        f"{RESULTS}/logs/report/all.log",
    conda:
        "../../envs/report.yaml"
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        code=code("steps.report"),
        dataset=used_datasets(),
        recorded=varied("dataset"),
        config=text({k: v for k, v in config.items() if k != "threads"}),
        seeds=text(repeated()),
        logs=f"{RESULTS}/logs",
    shell:
        step(
            "report",
            ALL,
            "images annotations boxes cards likenesses contacts marked recordings summary differences spread curves predictions",
            "page",
        )
