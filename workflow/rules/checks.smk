"""For the time being: what thermalign.config will do."""

from collections import namedtuple

from thermalign.config import detectors

DATASETS, PROTOCOLS = config["datasets"], config["protocols"]
VARIANTS = config.get("variants", {})
ABLATION, SWEEP = config.get("ablation", {}), config.get("sweep", {})
DISPLACEMENTS = config.get("displacements", {})
Training = namedtuple("Training", "name detector seed settings")


def refuse(message):
    """End with one line that names what is wrong in the configuration."""
    sys.exit(f"config: {message}")


for name, settings in PROTOCOLS.items():
    if settings["dataset"] not in DATASETS:
        refuse(
            f"protocols.{name}.dataset: no dataset {settings['dataset']!r}; use one of {list(DATASETS)}"
        )
MODELS = (
    {}
)  # settings by folder: a model's name, or one per training seed that it lists
SEEDS = {}  # name under models: and training seed, by folder
for name, block in config["models"].items():
    detector = block.get("model", name)
    if detector not in detectors():
        refuse(
            f"models.{name}: no detector {detector!r}; add src/thermalign/landmarks/{detector}.py or correct it"
        )
    settings = {k: v for k, v in block.items() if k != "seeds"}
    for seed in block.get("seeds", [config["training_seed"]]):
        folder = f"{name}_seed{seed}" if "seeds" in block else name
        if folder in MODELS:
            refuse(
                f"models.{name}: {folder} is a training of models.{SEEDS[folder][0]} already; rename one of them"
            )
        MODELS[folder] = {**settings, "model": detector}
        SEEDS[folder] = (name, seed)
for name, block in VARIANTS.items():
    if "detector" in block and block["detector"] not in MODELS:
        refuse(
            f"variants.{name}.detector: no model {block['detector']!r}; use one of {list(MODELS)}"
        )
    if "detector" in block:
        detector = MODELS[block["detector"]]["model"]
        stem = Path(SRC, "thermalign", "landmarks", detector)
        source = next(
            p for p in (stem.with_suffix(".py"), stem / "__init__.py") if p.is_file()
        ).read_text()
        if "\ndef detect(" not in source:
            refuse(
                f"variants.{name}.detector: {block['detector']} has no detect() and finds no faces; name a model that does"
            )
    if "dataset" in block and block["dataset"] not in DATASETS:
        refuse(
            f"variants.{name}.dataset: no dataset {block['dataset']!r}; use one of {list(DATASETS)}"
        )
    for protocol, settings in PROTOCOLS.items():
        other, own = (
            DATASETS.get(block.get("dataset"), {}),
            DATASETS[settings["dataset"]],
        )
        people = [
            (d.get("seed"), d.get("settings", {}).get("volumes")) for d in (other, own)
        ]
        if other.get("adapter") == "simulator" and people[0] != people[1]:
            refuse(
                f"variants.{name}.dataset: {block['dataset']} has another seed or other volumes than {settings['dataset']} of protocol {protocol}, so it shows other people"
            )
if DISPLACEMENTS:
    levels = DISPLACEMENTS["levels"]
    if levels[0] != 0 or levels != sorted(levels):
        refuse(
            f"displacements.levels: {levels} do not rise from 0; sort them and begin with 0"
        )
    if DISPLACEMENTS["linear_up_to"] < levels[1]:
        refuse(
            f"displacements.linear_up_to: no level but 0 up to {DISPLACEMENTS['linear_up_to']}; give {levels[1]} or more"
        )


def trainings(config):
    return {
        f: Training(
            SEEDS[f][0],
            s["model"],
            SEEDS[f][1],
            {k: v for k, v in s.items() if k != "model"},
        )
        for f, s in MODELS.items()
    }


def dataset_block(config, name):
    block = config["datasets"][name]
    if block["adapter"] != "table":
        return block
    return {**block, "folder": str(Path(config["data"], block["folder"]))}


def manifest_of(config, name):
    block = dataset_block(config, name)
    return Path(block["folder"], block["manifest"]) if "manifest" in block else None


used = {p["dataset"] for p in PROTOCOLS.values()} | {
    v["dataset"] for v in VARIANTS.values() if "dataset" in v
}
for name in used:
    manifest = manifest_of(config, name)
    if manifest is not None and not manifest.is_file():
        refuse(
            f"datasets.{name}: {manifest}: no such manifest; correct data:, folder: or manifest:"
        )
