"""What a job is given: settings as text, tables, lists of targets."""


def text(settings):
    """Write settings as JSON with sorted keys."""
    return json.dumps(settings, sort_keys=True)


def detector_of(model):
    """Return the module of a configured model."""
    return MODELS.get(model, {}).get("model", model)


def settings_of(wildcards):
    """Return a model's settings without the name of its module."""
    return text({k: v for k, v in MODELS[wildcards.model].items() if k != "model"})


def seed_of(wildcards):
    """Return the seed that a model is trained with."""
    return SEEDS[wildcards.model][1]


def repeated():
    """Return the configured model and the seed of every training of a model that lists seeds."""
    return {m: SEEDS[m] for m in MODELS if "seeds" in config["models"][SEEDS[m][0]]}


def adapter_of(wildcards):
    """Return the ingest module of the job's dataset, if it has one."""
    name = wildcards.get("dataset")
    return DATASETS[name]["adapter"] if name else ""


def dataset(name):
    """Return a dataset's block; a table's folder is resolved against ``data:``."""
    block = DATASETS[name]
    if block["adapter"] != "table":
        return block
    return {**block, "folder": str(Path(config["data"], block["folder"]))}


def files_of(name):
    """Return the fingerprint of a dataset's files, taken once a run: jobs elsewhere inherit it."""
    key = f"THERMALIGN_FILES_{name}"
    if key not in os.environ:
        record = Path(RESULTS, "data", name, "files.json")
        os.environ[key] = originals.fingerprint(record)
    return os.environ[key]


def table(name):
    """Return a function from wildcards to one of the dataset's tables."""
    return lambda w: f"{RESULTS}/data/{PROTOCOLS[w.protocol]['dataset']}/{name}.parquet"


def every(pattern, models=(*MODELS, "annotated")):
    """Fill protocols, folds and models into a path."""
    return [
        pattern.format(protocol=p, fold=f, model=m)
        for p, s in PROTOCOLS.items()
        for f in range(s["folds"])
        for m in models
    ]


def varied(key):
    """Return the detectors or the datasets that variants name, each once."""
    return list(dict.fromkeys(v[key] for v in VARIANTS.values() if key in v))


def recordings(name):
    """Return a function from wildcards to a table of the protocol's dataset and of variants'."""
    return lambda w: [
        f"{RESULTS}/data/{d}/{name}.parquet"
        for d in (PROTOCOLS[w.protocol]["dataset"], *varied("dataset"))
    ]


def aside(name):
    """Return one of the tables of every step beside the way from images to scores that is asked for."""
    steps = {"ablate": ABLATION, "sweep": SWEEP, "displace": DISPLACEMENTS}
    asked = every(f"{FOLDER}/{{model}}/detect/{name}.parquet", varied("detector"))
    for step in ("stress", "score_variants") if VARIANTS else ():
        asked += every(f"{FOLDER}/{{model}}/{step}/{name}.parquet", MODELS)
    for step in (s for s, block in steps.items() if block):
        asked += every(f"{FOLDER}/{{model}}/{step}/{name}.parquet", ["annotated"])
    return asked


def used_datasets():
    """Return the datasets that a protocol names, in configured order."""
    return [d for d in DATASETS if any(p["dataset"] == d for p in PROTOCOLS.values())]


def sources(wildcards):
    """Return what a dataset is read from: the simulator's chunks, or the manifest."""
    block = dataset(wildcards.dataset)
    if block["adapter"] == "simulator":
        chunks = range(block["chunks"])
        return [f"{RESULTS}/data/{wildcards.dataset}/chunks/{k}" for k in chunks]
    return ancient(str(manifest_of(block)))  # its content counts: files_of


def manifest_of(block):
    """Return the manifest of a table's block."""
    return Path(block["folder"], block["manifest"])


for name in {*used_datasets(), *varied("dataset")}:
    if (
        DATASETS[name]["adapter"] == "table"
        and not manifest_of(dataset(name)).is_file()
    ):
        refuse(
            f"datasets.{name}: {manifest_of(dataset(name))}: no such manifest; correct data:, folder: or manifest:"
        )


def fold_settings(wildcards):
    """Return the part of a protocol that decides who is in which fold."""
    keys = ("volumes", "train_subjects", "test_subjects", "validation_share", "seed")
    return text({key: PROTOCOLS[wildcards.protocol][key] for key in keys})


def bootstrap():
    """Return the part of `evaluation:` that draws test subjects."""
    return text({k: config["evaluation"][k] for k in ("replicates", "seed")})


def probe_modality(wildcards):
    """Return what the detectors train and predict on."""
    return PROTOCOLS[wildcards.protocol]["probe"]["modality"]


def headline(wildcards):
    """Return the reading of `same_moment` that a protocol's figures follow."""
    return PROTOCOLS[wildcards.protocol]["same_moment"][0]


def matching(wildcards):
    """Return what the matcher of a protocol depends on."""
    protocol = PROTOCOLS[wildcards.protocol]
    roles = {key: protocol[key] for key in ("gallery", "probe", "same_moment")}
    if "images" in protocol["gallery"]:  # drawn by the protocol's seed
        roles["gallery"] = {**protocol["gallery"], "seed": protocol["seed"]}
    return text({**config["matcher"], **roles})
