"""What a job is given: settings as text, tables, lists of targets."""

import hashlib
import json
from functools import cache

import thermalign.config.across as across
from thermalign import originals
from thermalign.config.networks import firsts, matcher_of, network_of
from thermalign.config.resources import Requests

REQUESTS = Requests(config, gpus=GPUS)
PROTOCOLS, VARIANTS = config["protocols"], config["variants"]
ABLATION, SWEEP = config["ablation"], config["sweep"]
DISPLACEMENTS = config.get("displacements", {})
ACROSS = config["evaluate_on"]
RECORDED = config.get("detector", {}).get("recorded", {})
BESIDE = config.get("detector", {}).get("beside")
TAKEN = {  # the two models of a detector to take home, with what their protocols decide
    part: {
        **config["detector"][part],
        "dataset": PROTOCOLS[config["detector"][part]["protocol"]]["dataset"],
        "modality": PROTOCOLS[config["detector"][part]["protocol"]]["probe"]["modality"],
    }
    for part in (("landmarks", "finder") if "detector" in config else ())
}


def text(settings):
    """Write settings as JSON with sorted keys."""
    return json.dumps(settings, sort_keys=True)


def memory(rule):
    """Return a function from a job to the MB that it asks for: more on every retry."""
    return lambda wildcards, attempt: REQUESTS.memory(rule, dict(wildcards.items()), attempt)


def runtime(rule):
    """Return a function from a job to the minutes that it asks for."""
    return lambda wildcards, attempt: REQUESTS.runtime(rule, dict(wildcards.items()), attempt)


def gpu(wildcards):
    """Return how many GPUs a job asks for whose step is given a detector."""
    return REQUESTS.gpus(dict(wildcards.items()))


def small(group):
    """Return a function to the group that small jobs are submitted in; none on one machine.

    There, where no profile says how many may join (`group-components:`), each is a job of its own.
    """
    return lambda wildcards: group if workflow.group_settings.group_components else None


def trained(wildcards):
    """Return the group of a training and its predictions: one of its own for each model."""
    name = f"model_{wildcards.protocol}_{wildcards.fold}_{wildcards.model}"
    return small(name)(wildcards)


def aligned_for(wildcards):
    """Return the group of an alignment: who needs its faces."""
    return small("matcher" if wildcards.model == "annotated" else "verify")(wildcards)


def detector_of(wildcards):
    """Return the module of a job's model, if it is one that is trained."""
    model = wildcards.get("model")
    return MODELS[model].detector if model in MODELS else ""


def settings_of(wildcards):
    """Return the settings of a job's model."""
    return text(MODELS[wildcards.model].settings)


def seed_of(wildcards):
    """Return the seed that a job's model is trained with."""
    return MODELS[wildcards.model].seed


def made_here(path):
    """Say whether a state is one of this study's own."""
    return Path(path).is_relative_to(RESULTS)


def initial_of(wildcards):
    """Return the state that a job's model starts from, if any."""
    path = MODELS[wildcards.model].initial
    if not path:
        return []
    return path if made_here(path) else ancient(path)  # its content counts: content_of_initial


def content_of_initial(wildcards):
    """Return the digest of a state from elsewhere that a job's model starts from."""
    path = MODELS[wildcards.model].initial
    if not path or made_here(path):
        return []
    return digest(path)


def source_of(wildcards):
    """Return the file that a job's points or scores are read from."""
    its = (PLACED | MATCHED)[wildcards.model]
    other = wildcards.get("other", "")
    path = file_of(its.pattern, config, wildcards.protocol, int(wildcards.fold), other=other)
    return ancient(path)  # its content counts: content_of_source


def content_of_source(wildcards):
    """Return the digest of that file."""
    return digest(source_of(wildcards))


@cache
def digest(path):
    """Return the digest of a file's content."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seeds():
    """Return name under `models:` and training seed of every model, by its folder.

    Points that are read from files stand for one training.
    """
    trained = {folder: (its.name, its.seed) for folder, its in MODELS.items()}
    return trained | {name: (name, config["training_seed"]) for name in PLACED}


def repeated():
    """Return the same of the models that list training seeds."""
    return {m: its for m, its in seeds().items() if "seeds" in config["models"][its[0]]}


def adapter_of(wildcards):
    """Return the ingest module of the job's dataset, if it has one."""
    name = wildcards.get("dataset")
    return config["datasets"][name]["adapter"] if name else ""


def dataset(wildcards):
    """Return the block of a job's dataset."""
    return dataset_block(config, wildcards.dataset)


def rendered(wildcards):
    """Return what decides the images of a simulated dataset."""
    return text({key: dataset(wildcards)[key] for key in ("seed", "settings")})


def files_of(wildcards, name="files"):
    """Return the fingerprint of a dataset's files, taken once a run: jobs elsewhere inherit it."""
    key = f"THERMALIGN_{name.upper()}_{wildcards.dataset}"
    if key not in os.environ:
        record = Path(RESULTS, "data", wildcards.dataset, f"{name}.json")
        os.environ[key] = originals.fingerprint(record)
    return os.environ[key]


def tree_files_of(wildcards):
    """Return the same of the files and folders that a manifest is made of."""
    return files_of(wildcards, "tree_files")


def sources(wildcards):
    """Return what a dataset is read from: the chunks it is rendered in, or its manifest.

    A manifest that is made of a tree has the table of what was left out beside it.
    """
    if tree_of(config, wildcards.dataset):
        return [f"{RESULTS}/data/{wildcards.dataset}/{n}.csv" for n in ("manifest", "left_out")]
    if manifest := manifest_of(config, wildcards.dataset):
        return ancient(str(manifest))  # its content counts: files_of
    chunks = range(dataset(wildcards).get("chunks", 0))
    return [f"{RESULTS}/data/{wildcards.dataset}/chunks/{k}" for k in chunks]


def dataset_of(wildcards):
    """Return the dataset of a job's protocol."""
    return PROTOCOLS[wildcards.protocol]["dataset"]


def table(name):
    """Return a function from wildcards to one of the tables of the protocol's dataset."""
    return lambda w: f"{RESULTS}/data/{dataset_of(w)}/{name}.parquet"


def recordings(name):
    """Return a function from wildcards to a table of the protocol's dataset and of variants'."""
    return lambda w: [table(name)(w), *of(varied("dataset"), f"{name}.parquet")]


def visited(name):
    """Return a function from wildcards to a table of another dataset that models are tested on."""
    return lambda w: f"{RESULTS}/data/{ACROSS[w.other]['dataset']}/{name}.parquet"


def of(datasets, file):
    """Return a file of each of some datasets."""
    return [f"{RESULTS}/data/{d}/{file}" for d in datasets]


def used_datasets():
    """Return the datasets that a protocol names, in configured order."""
    named = {protocol["dataset"] for protocol in PROTOCOLS.values()}
    return [d for d in config["datasets"] if d in named]


def shown_datasets():
    """Return the datasets whose faces the report shows: those of protocols and those visited."""
    named = {*used_datasets(), *across.datasets(config)}
    return [d for d in config["datasets"] if d in named]


def varied(key):
    """Return the detectors or the datasets that variants name, each once, by name."""
    return sorted({v[key] for v in VARIANTS.values() if key in v})


def every(pattern, models=(*ALIGNED, *MATCHED)):
    """Fill protocols, folds and models into a path."""
    return [
        pattern.format(protocol=p, fold=f, model=m)
        for p, s in PROTOCOLS.items()
        for f in range(s["folds"])
        for m in models
    ]


def elsewhere(name):
    """Return one of the tables of every step that tests models on other datasets."""
    asked = []
    for protocol, other in across.evaluations(config):
        its = [("predict_across", VISITING)]
        if "gallery" in ACROSS[other]:
            its += [("score_across", VISITING), ("enrol_across", ["annotated"])]
        for step, models in its:
            there = every(f"{FOLDER}/{{model}}/{step}/{other}/{name}.parquet", models)
            asked += [path for path in there if path.startswith(f"{RESULTS}/{protocol}/")]
    return asked


def aside(name):
    """Return one of the tables of every step beside the way from images to scores that is asked for."""
    steps = {"ablate": ABLATION, "sweep": SWEEP, "displace": DISPLACEMENTS}
    asked = elsewhere(name)
    asked += every(f"{FOLDER}/{{model}}/detect/{name}.parquet", varied("detector"))
    for step in ("stress", "score_variants") if VARIANTS else ():
        asked += every(f"{FOLDER}/{{model}}/{step}/{name}.parquet", MODELS)
    for step in (s for s, block in steps.items() if block):
        asked += every(f"{FOLDER}/{{model}}/{step}/{name}.parquet", ["annotated"])
    return asked


def taken(file, *parts):
    """Return a function that fills a file's name for parts of a detector to take home, or both."""

    def fill(wildcards):
        if not TAKEN:
            sys.exit("config: detector: is missing, the models that pack takes home; name them")
        return [f"{RESULTS}/{file.format(**TAKEN[part])}" for part in parts or TAKEN]

    return fill


def of_taken(key):
    """Return what the parts of a detector to take home have under a key, each once."""
    return list(dict.fromkeys(its[key] for its in TAKEN.values()))


def landmark_modules():
    """Return the modules of the models of a detector to take home."""
    return [f"landmarks.{MODELS[model].detector}" for model in of_taken("model")]


def recorded_faces(wildcards):
    """Return the tables of the recorded faces that a detector to take home is tried on, if any."""
    names = ("images", "annotations", "boxes", "attributes") if RECORDED else ()
    return [f"{RESULTS}/data/{RECORDED['dataset']}/{name}.parquet" for name in names]


def of_protocols(*keys):
    """Return some keys of each protocol as text."""
    return text({name: {k: its[k] for k in keys} for name, its in PROTOCOLS.items()})


def fold_settings(wildcards):
    """Return the part of a protocol that decides who is in which fold."""
    keys = ("volumes", "train_subjects", "test_subjects", "validation_share", "seed")
    return text({key: PROTOCOLS[wildcards.protocol][key] for key in keys})


def bootstrap():
    """Return the part of `evaluation:` that draws test subjects."""
    return text({k: config["evaluation"][k] for k in ("replicates", "seed")})


def further_metrics():
    """Return the modules of `metrics` that `evaluation:` names."""
    return [f"metrics.{name}" for name in config["evaluation"].get("metrics", [])]


def probe_modality(wildcards):
    """Return what the detectors train and predict on."""
    return PROTOCOLS[wildcards.protocol]["probe"]["modality"]


def headline(wildcards):
    """Return the reading of `same_moment` that a protocol's figures follow."""
    return PROTOCOLS[wildcards.protocol]["same_moment"][0]


def rejected(wildcards):
    """Return the shares of the probes that a protocol rejects."""
    return PROTOCOLS[wildcards.protocol]["reject"]


def matching(wildcards):
    """Return what the matcher of a protocol depends on, at home or on another dataset."""
    block = with_state(matcher_of(config, wildcards.protocol))
    return text({**block, **roles_of(config, wildcards.protocol, wildcards.get("other", ""))})


def network(wildcards):
    """Return the block of a matcher's network."""
    return config["networks"][wildcards.network]


def state_of(name):
    """Return the path of a network's trained state."""
    return f"{RESULTS}/networks/{name}/state.safetensors"


def with_state(block):
    """Return a matcher's block with the path of a network for its name."""
    its = block.get("two_branch", {})
    return {**block, "two_branch": {**its, "network": state_of(its["network"])}} if its else block


def with_states(variations):
    """Return variations of the matcher with paths of networks for their names."""
    return {name: with_state(block) for name, block in variations.items()}


def networks(variations={}):
    """Return a function to the states of networks that a protocol's matcher and variations apply."""

    def states(wildcards):
        own = matcher_of(config, wildcards.protocol)
        blocks = [own, *({**own, **its} for its in variations.values())]
        return [state_of(n) for n in dict.fromkeys(map(network_of, blocks)) if n]

    return states


def people_across(wildcards):
    """Return what a name says that a protocol's dataset and another one have."""
    return across.people(config, wildcards.protocol, wildcards.other)


def parts(variations={}):
    """Return the modules of `verification` that the matcher and variations of it load by name."""
    own = [its.get("matcher", {}) for its in PROTOCOLS.values()]
    blocks = [config["matcher"], *own, *variations.values()]
    names = [b[k] for k in ("mapping", "classifier") for b in blocks if k in b]
    return [f"verification.{name}" for name in dict.fromkeys(names)]
