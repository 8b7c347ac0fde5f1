rule report:
    input:
        images=[f"{RESULTS}/data/{d}/images.parquet" for d in used_datasets()],
        annotations=[f"{RESULTS}/data/{d}/annotations.parquet" for d in used_datasets()],
        boxes=[f"{RESULTS}/data/{d}/boxes.parquet" for d in used_datasets()],
        cards=[f"{RESULTS}/data/{d}/card.parquet" for d in used_datasets()],
        likenesses=[f"{RESULTS}/data/{d}/likeness.parquet" for d in used_datasets()],
        contacts=[f"{RESULTS}/data/{d}/contact.png" for d in used_datasets()],
        marked=[f"{RESULTS}/data/{d}/marked.png" for d in used_datasets()],
        recordings=[f"{RESULTS}/data/{d}/images.parquet" for d in varied("dataset")],
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
    threads: 1
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        code=code("steps.report"),
        config=text({k: v for k, v in config.items() if k != "threads"}),
        seeds=text(repeated()),
        logs=f"{RESULTS}/logs",
    shell:
        "python -m thermalign report --log {log:q} --job all --images {input.images:q}"
        " --annotations {input.annotations:q} --boxes {input.boxes:q} --summary {input.summary:q}"
        " --differences {input.differences:q} --spread {input.spread:q} --seeds {params.seeds:q}"
        " --curves {input.curves:q}"
        " --predictions {input.predictions:q} --cards {input.cards:q}"
        " --likenesses {input.likenesses:q} --contacts {input.contacts:q} --marked {input.marked:q}"
        " --recordings {input.recordings:q} --logs {params.logs:q} --config {params.config:q}"
        " --page {output.page:q} --code {params.code}"
