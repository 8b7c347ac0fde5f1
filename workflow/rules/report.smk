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
        "python -m thermalign report --log {log} --job all --images {input.images}"
        " --annotations {input.annotations} --boxes {input.boxes} --summary {input.summary}"
        " --differences {input.differences} --spread {input.spread} --seeds {params.seeds:q}"
        " --curves {input.curves}"
        " --predictions {input.predictions} --cards {input.cards}"
        " --likenesses {input.likenesses} --contacts {input.contacts} --marked {input.marked}"
        " --recordings {input.recordings} --logs {params.logs} --config {params.config:q}"
        " --page {output.page} --code {params.code}"
