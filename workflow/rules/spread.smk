rule spread:
    input:
        images=[f"{RESULTS}/data/{d}/images.parquet" for d in used_datasets()],
        annotations=[f"{RESULTS}/data/{d}/annotations.parquet" for d in used_datasets()],
        folds=every(rules.fold.output.folds, MODELS),
        predictions=every(rules.predict.output.predictions, MODELS),
    output:
        spread=f"{RESULTS}/compare/spread.parquet",
    log:
        f"{RESULTS}/logs/spread/all.log",
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        code=code("steps.spread"),
        protocols=text(
            {
                p: {k: s[k] for k in ("dataset", "train_subjects")}
                for p, s in PROTOCOLS.items()
            }
        ),
        models=text(SEEDS),
        settings=text(config["evaluation"]),
    shell:
        "python -m thermalign spread --log {log:q} --job all --images {input.images:q}"
        " --annotations {input.annotations:q} --folds {input.folds:q}"
        " --predictions {input.predictions:q} --protocols {params.protocols:q}"
        " --models {params.models:q} --settings {params.settings:q} --spread {output.spread:q}"
        " --code {params.code}"
