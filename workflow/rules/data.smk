rule simulate:
    output:
        folder=directory(f"{RESULTS}/data/{{dataset}}/chunks/{{chunk}}"),
    log:
        f"{RESULTS}/logs/simulate/{{dataset}}-{{chunk}}.log",
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=memory("simulate"),
        runtime=runtime("simulate"),
    params:
        code=code("steps.simulate"),
        settings=rendered,
        chunks=lambda w: dataset(w)["chunks"],
    shell:
        step("simulate", CHUNK, "", "folder")


rule adapt:
    output:
        manifest=f"{RESULTS}/data/{{dataset}}/manifest.csv",
        left_out=f"{RESULTS}/data/{{dataset}}/left_out.csv",
        files=f"{RESULTS}/data/{{dataset}}/tree_files.json",
    log:
        f"{RESULTS}/logs/adapt/{{dataset}}.log",
    group:
        small("tables")
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=memory("adapt"),
        runtime=runtime("adapt"),
    params:
        code=code("steps.adapt", "ingest.{adapter}"),
        settings=lambda w: text(dataset(w)),
        fingerprint=tree_files_of,
    shell:
        step("adapt", DATASET, "", "manifest left_out files")


rule ingest:
    input:
        sources=sources,
    output:
        images=f"{RESULTS}/data/{{dataset}}/images.parquet",
        annotations=f"{RESULTS}/data/{{dataset}}/annotations.parquet",
        boxes=f"{RESULTS}/data/{{dataset}}/boxes.parquet",
        attributes=f"{RESULTS}/data/{{dataset}}/attributes.parquet",
        files=f"{RESULTS}/data/{{dataset}}/files.json",
        findings=f"{RESULTS}/data/{{dataset}}/findings.parquet",
        audit=f"{RESULTS}/data/{{dataset}}/audit.html",
    log:
        f"{RESULTS}/logs/ingest/{{dataset}}.log",
    group:
        small("tables")
    conda:
        "../../envs/data.yaml"
    threads: config["threads"]["ingest"]
    resources:
        mem_mb=memory("ingest"),
        runtime=runtime("ingest"),
    params:
        code=code("steps.ingest", "ingest.{adapter}"),
        settings=lambda w: text(dataset(w)),
        fingerprint=files_of,
    shell:
        step(
            "ingest",
            DATASET,
            "sources",
            "images annotations boxes attributes files findings audit",
        )


rule fold:
    input:
        images=table("images"),
    output:
        folds=f"{FOLDER}/folds.parquet",
    log:
        f"{RESULTS}/logs/fold/{{protocol}}-{{fold}}.log",
    group:
        small("tables")
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=memory("fold"),
        runtime=runtime("fold"),
    params:
        code=code("steps.fold"),
        settings=fold_settings,
    shell:
        step("fold", FOLD, "images", "folds")
