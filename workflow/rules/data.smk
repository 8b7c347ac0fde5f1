rule simulate:
    output:
        folder=directory(f"{RESULTS}/data/{{dataset}}/chunks/{{chunk}}"),
    log:
        f"{RESULTS}/logs/simulate/{{dataset}}-{{chunk}}.log",
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=60,
    params:
        code=code("steps.simulate"),
        dataset=lambda w: text({k: dataset(w.dataset)[k] for k in ("seed", "settings")}),
        chunks=lambda w: dataset(w.dataset)["chunks"],
    shell:
        "python -m thermalign simulate --log {log:q} --job {wildcards.dataset}/{wildcards.chunk}"
        " --chunk {wildcards.chunk} --chunks {params.chunks} --dataset {params.dataset:q}"
        " --folder {output.folder:q} --code {params.code}"


rule ingest:
    input:
        sources=sources,
    output:
        images=f"{RESULTS}/data/{{dataset}}/images.parquet",
        annotations=f"{RESULTS}/data/{{dataset}}/annotations.parquet",
        boxes=f"{RESULTS}/data/{{dataset}}/boxes.parquet",
        attributes=f"{RESULTS}/data/{{dataset}}/attributes.parquet",
        files=f"{RESULTS}/data/{{dataset}}/files.json",
    log:
        f"{RESULTS}/logs/ingest/{{dataset}}.log",
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        code=code("steps.ingest", "ingest.{adapter}"),
        dataset=lambda w: text(dataset(w.dataset)),
        files=lambda w: files_of(w.dataset),
    shell:
        "python -m thermalign ingest --log {log:q} --job {wildcards.dataset}"
        " --dataset {params.dataset:q} --sources {input.sources:q} --images {output.images:q}"
        " --annotations {output.annotations:q} --boxes {output.boxes:q}"
        " --attributes {output.attributes:q} --files {output.files:q}"
        " --fingerprint {params.files} --code {params.code}"


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
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        code=code("steps.describe"),
    shell:
        "python -m thermalign describe --log {log:q} --job {wildcards.dataset}"
        " --images {input.images:q} --annotations {input.annotations:q} --boxes {input.boxes:q}"
        " --dataset {wildcards.dataset} --card {output.card:q} --likeness {output.likeness:q}"
        " --contact {output.contact:q} --marked {output.marked:q} --code {params.code}"


rule fold:
    input:
        images=table("images"),
    output:
        folds=f"{FOLDER}/folds.parquet",
    log:
        f"{RESULTS}/logs/fold/{{protocol}}-{{fold}}.log",
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("steps.fold"),
        settings=fold_settings,
    shell:
        "python -m thermalign fold --log {log:q} --job {wildcards.protocol}/fold{wildcards.fold}"
        " --images {input.images:q} --protocol {wildcards.protocol} --fold {wildcards.fold}"
        " --settings {params.settings:q} --folds {output.folds:q} --code {params.code}"
