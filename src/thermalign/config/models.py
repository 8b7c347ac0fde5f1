"""The whole configuration: typed, closed and completed, or refused in one line a fault.

The Snakefile and the command line read it here. What models, matcher parts, adapters and figures
can be told is declared by dataclasses beside their code, and read from the syntax tree: nothing is
imported to check it. Only this file knows pydantic.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import GenericAlias
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    create_model,
    model_validator,
)
from pydantic import model_serializer as serializer
from pydantic.json_schema import models_json_schema
from pydantic_core import PydanticCustomError

from thermalign.catalogue import (
    Block,
    Kind,
    Setting,
    adapters,
    classifiers,
    constant,
    detectors,
    mappings,
    settings_of,
    takes_a_state,
)
from thermalign.config import imported
from thermalign.config.checks import (
    Training,
    check_places,
    dataset_block,
    faults,
    manifest_of,
    trainings,
    tree_of,
)
from thermalign.config.faults import UNMET, nearest, spelt, told
from thermalign.config.imported import file_of, from_files, roles_of, visiting
from thermalign.config.initial import KEY as INIT
from thermalign.config.overlays import config_files, over_base, read_merged
from thermalign.settings import SEED, Relations, unmet

__all__ = [
    "Training",
    "check_places",
    "check_study",
    "config_files",
    "dataset_block",
    "file_of",
    "from_files",
    "json_schema",
    "manifest_of",
    "read_study",
    "roles_of",
    "trainings",
    "tree_of",
    "visiting",
]

NAME = r"[a-z][a-z0-9_]{0,59}(?!\n)$"  # Python's $ stands before a last line break, too

KEYS = "thermalign.config.keys"
"""Module of the blocks that are completed with their defaults."""

UNNAMED = "pls"
"""The matcher part whose settings stand in ``matcher:`` itself."""


def unique(values: list[Any]) -> list[Any]:
    """Refuse a list with an entry that stands twice."""
    if len({str(value) for value in values}) < len(values):
        raise ValueError("give each once")
    return values


Unique = AfterValidator(unique)


def key(
    meaning: str, default: Any = ..., *, source: str = "", unit: str = "", **limits: Any
) -> Any:
    """Return a key with what it means; without a default it must be given."""
    told = {"unit": unit, "source": source}
    extra: dict[str, Any] = {name: text for name, text in told.items() if text}
    return Field(default, description=meaning, json_schema_extra=extra, **limits)


class Closed(BaseModel):
    """A block without other keys than those that are listed; no value is guessed from another."""

    model_config = ConfigDict(
        extra="forbid", strict=True, allow_inf_nan=False, regex_engine="python-re"
    )


class AsGiven(Closed):
    """A block that stays as the file gives it: what it leaves out, the code completes."""

    @serializer(mode="wrap")
    def given(self, dump: Any) -> dict[str, Any]:
        """Return the keys that were given."""
        return {k: value for k, value in dump(self).items() if k in self.model_fields_set}


def fields_of(block: Block, *, required: bool | None = None) -> dict[str, Any]:
    """Return the keys of declared settings; required: all but lists that are empty by default."""
    fields = {}
    for its in block.settings:
        must = its.required if required is None else required and its.default != ()
        within = isinstance(its.default, dict)  # settings at their own defaults
        given = {} if within else its.default
        default = ... if must else list(given) if isinstance(given, tuple) else given
        meaning = key(
            its.meaning, default, unit=its.unit, source=its.source, validate_default=within
        )
        fields[its.name] = (type_of(its.kind, its), meaning)
    return fields


def type_of(kind: Kind, its: Setting) -> Any:
    """Return the type of a declared setting with its limits."""
    limits: dict[str, Any] = {"ge": its.low, "le": its.high}
    limits |= {"multiple_of": its.multiple_of} if its.multiple_of > 1 else {}
    numbers = Field(**{name: limit for name, limit in limits.items() if limit is not None})
    made: Any
    if kind.name in ("int", "float"):
        made = Annotated[int if kind.name == "int" else float, numbers]
    elif kind.name == "str":
        made = Literal[its.choices] if its.choices else str
    elif kind.name == "list":
        made = list_of(kind, its)
    elif kind.name == "mapping":
        made = by_name(str, type_of(kind.parts[0], its))
    elif kind.name == "any":
        made = str | int | float
    elif kind.block is not None:
        made = settings_model(kind.block.module, kind.block.name)
    else:
        made = bool
    return made | None if kind.optional else made


def list_of(kind: Kind, its: Setting) -> Any:
    """Return the type of a list: of a stated length, or of entries that stand once each."""
    entries: Any = GenericAlias(list, type_of(kind.parts[0], its))
    if not kind.any_length:
        length = len(kind.parts)
        return Annotated[entries, Field(min_length=length, max_length=length)]
    once = Field(min_length=1 if its.required else 0, json_schema_extra={"uniqueItems": True})
    return Annotated[entries, once, Unique]


def by_name(name: Any, of: Any) -> Any:
    """Return the type of entries by name."""
    return dict[name, of]


def name_but(*taken: str) -> Any:
    """Return the type of names of one's own but those that mean something else already."""
    but = f"(?!({'|'.join(taken)})$)" if taken else ""
    return Annotated[str, Field(pattern=f"^{but}{NAME}")]


def closed(
    name: str, base: type[Closed], meaning: str, fields: dict[str, Any], relations: Relations = ()
) -> type[Closed]:
    """Return a closed model, whose values must meet relations."""

    def related(self: Closed) -> Closed:
        for message in unmet(relations, {key: getattr(self, key) for key in fields}):
            raise PydanticCustomError(UNMET, "{message}", {"message": message})
        return self

    checks: dict[str, Any] = {"related": model_validator(mode="after")(related)}
    return create_model(
        name, __base__=base, __doc__=meaning, __validators__=checks if relations else None, **fields
    )


@cache
def settings_model(module: str, name: str = "Settings") -> type[Closed]:
    """Return the closed model of a class of settings."""
    block = settings_of(module, name)
    title = f"{block.module.removeprefix('thermalign.').replace('.', '_')}_{block.name}"
    base = Closed if module == KEYS else AsGiven
    return closed(title, base, block.meaning, fields_of(block), block.relations)


@cache
def dataset_model(adapter: str) -> type[Closed]:
    """Return the closed model of the datasets of an adapter."""
    block = settings_of(f"thermalign.ingest.{adapter}")
    box = settings_model("thermalign.boxes")
    fields: dict[str, Any] = {
        "adapter": (Literal[adapter], key("format that it is read from")),
    }
    fields |= fields_of(block) | {"box": (box, key("where face boxes come from"))}
    looked_at: Any = Literal[constant("thermalign.audit.findings", "MAY_BE_ACCEPTED")]
    meant = "findings of the audit that somebody looked at, and that do not stop the study"
    fields["accept"] = (GenericAlias(list, looked_at), key(meant, []))
    return closed(f"dataset_{adapter}", AsGiven, block.meaning, fields, block.relations)


@cache
def detector_model(detector: str) -> type[Closed]:
    """Return the closed model of the landmark models of a detector."""
    block = settings_of(f"thermalign.landmarks.{detector}")
    seeds = Annotated[list[Annotated[int, Field(ge=0, le=SEED)]], Field(min_length=1), Unique]
    fields = {
        "model": (Literal[detector], key("detector; its name is the default", detector)),
        "seeds": (seeds, key("training seeds, a training and a row each", [])),
    }
    if takes_a_state(detector):
        fields[INIT] = (str | None, key("trained state that it starts from; absent is none", None))
    fields |= fields_of(block)
    return closed(f"model_{detector}", AsGiven, block.meaning, fields, block.relations)


def matcher_fields(*, required: bool) -> dict[str, Any]:
    """Return the keys of the matcher: its parts by name, and the settings of each."""
    choices = tuple(
        Setting(name, Kind("str"), meaning, required, choices=tuple(names))
        for name, names, meaning in (
            ("mapping", mappings(), "what brings visible and thermal features together"),
            ("classifier", classifiers(), "what compares a probe with the enrolled images"),
        )
    )
    fields = fields_of(Block("matcher", "parts", "", choices))
    for module in (UNNAMED, "descriptors"):
        fields |= fields_of(settings_of(f"thermalign.verification.{module}"), required=required)
    for part in (*mappings(), *classifiers()):
        block = settings_of(f"thermalign.verification.{part}")
        if block.settings and part != UNNAMED:
            fields[part] = (settings_model(block.module), key(block.meaning, None))
    return fields


@cache
def imported_model(block: str) -> type[Closed]:
    """Return the closed model of the rows of a block that are read from files."""
    fold = "{dataset}, {protocol} and {fold} in its name stand for those of a job"
    what = {imported.POINTS: "points of test images", imported.SCORES: "scores of comparisons"}
    fields: dict[str, Any] = {imported.KEY: (str, key(f"file of {what[block]}; {fold}"))}
    if block == imported.SCORES:
        meant = "score by false match rate on other people, as its maker states it"
        fields["thresholds"] = (by_name(str, float), key(meant, {}))
    whose = "A row of the study that another program made, read from files: docs/own_rows.md."
    return closed(f"imported_{block}", AsGiven, whose, fields)


def protocol_model() -> type[Closed]:
    """Return the closed model of protocols, whose matcher may differ from the study's."""
    roles, folds = settings_of(KEYS, "Protocol"), settings_of("thermalign.folds")
    meant = "Keys of the matcher with other values."
    other: Any = closed("other_matcher", AsGiven, meant, matcher_fields(required=False))
    matcher = (other | None, key("what of its matcher differs from the study's", None))
    fields = fields_of(roles) | fields_of(folds) | {"matcher": matcher}
    return closed("protocol", Closed, roles.meaning, fields)


def variation_model() -> type[Closed]:
    """Return the closed model of variations of the matcher."""
    shuffles = (int, key("shuffles of who is on the gallery's images", None, ge=1, le=1000))
    fields = matcher_fields(required=False) | {"permutations": shuffles}
    meant = "Keys of the matcher with other values, or permutations."
    return closed("changes", AsGiven, meant, fields)


def network_model() -> type[Closed]:
    """Return the closed model of networks."""
    learnt = settings_of("thermalign.networks.two_branch")
    whose = (str, key("of the people that it is trained on, whom no protocol tests"))
    fields = {"dataset": whose} | fields_of(learnt)
    return closed("network", AsGiven, learnt.meaning, fields, learnt.relations)


@cache
def study_model() -> type[Closed]:
    """Return the closed model of everything but what depends on an adapter or a detector."""
    first = settings_of(KEYS, "Study")
    variant = settings_model("thermalign.evaluation.variants", "Variant")
    other = settings_model(KEYS, "EvaluatedOn")
    alignment = settings_model("thermalign.verification.alignment")
    meant = (
        "From aligned faces to scores, for every model and protocol; keys of it may differ in a "
        "protocol. Its networks stand under `networks`; `matchers` are of other programs."
    )
    matcher = closed("matcher", AsGiven, meant, matcher_fields(required=True))
    changes = by_name(name_but("study"), variation_model())
    evaluation = whole_model("evaluation", "thermalign.evaluation.settings")
    moved: Any = whole_model("displacements", "thermalign.evaluation.displacement")
    taken: Any = settings_model(KEYS, "Detector")
    folders = ("data", "compare", "report", "logs", "detector", "networks")
    protocols = by_name(name_but(*folders), protocol_model())
    fields = {
        "datasets": (by_name(name_but(), dict), key("datasets by name", min_length=1)),
        "protocols": (protocols, key("protocols by name", min_length=1)),
        "models": (
            by_name(name_but("annotated"), dict),
            key("landmark models by name", min_length=1),
        ),
        "matchers": (
            by_name(name_but("annotated"), imported_model(imported.SCORES)),
            key("other programs' matchers by name: rows whose scores are read from files", {}),
        ),
        "networks": (
            by_name(name_but(), network_model()),
            key("networks by name that `matcher` may apply, each trained once for all folds", {}),
        ),
        "variants": (by_name(name_but("none"), variant), key("other test conditions by name", {})),
        "evaluate_on": (by_name(name_but(), other), key("datasets to test models on by name", {})),
        "alignment": (alignment, key("canonical coordinates of aligned faces")),
        "matcher": (matcher, key("the study's own matcher, from aligned faces to scores")),
        "ablation": (changes, key("variations of `matcher` by name: the keys that differ", {})),
        "sweep": (changes, key("the same on halves of the training subjects, to choose by", {})),
        "displacements": (moved | None, key("of annotated points; absent is not at all", None)),
        "evaluation": (evaluation, key("metrics and their intervals")),
        "detector": (taken | None, key("to take home; absent is none", None)),
    }
    return closed("study", Closed, first.meaning, fields_of(first) | fields)


def whole_model(name: str, module: str) -> type[Closed]:
    """Return the closed model of declared settings that must all be given."""
    block = settings_of(module)
    return closed(name, Closed, block.meaning, fields_of(block, required=True))


def read_study(files: Sequence[Path], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Read, merge, check and complete a configuration.

    Parameters
    ----------
    files : at least one Path
        See :mod:`thermalign.config.overlays`.
    changes : mapping
        What the command line changes.

    Raises
    ------
    ValueError
        A line for each fault: the key, what it is, and what would be right.
    """
    return check_study(read_merged(files, changes))


def check_study(config: Mapping[str, Any]) -> dict[str, Any]:
    """Check a configuration and complete it.

    Parameters
    ----------
    config : mapping
        As a file holds it; it may name a base.

    Returns
    -------
    dict
        The same with the defaults of what is not settings of a part: those stay with its code.

    Raises
    ------
    ValueError
        As :func:`read_study`.
    """
    config = over_base(config, "configuration")
    study, lines = _read(study_model(), config, "")
    blocks = {}
    for group, name, block in _entries(config):
        if not any(line.startswith(f"{spelt((group, name))}:") for line in lines):
            blocks[group, name], more = _read_entry(group, name, block)
            lines += more
    if not lines:
        for (group, name), block in blocks.items():
            study[group][name] = block
        lines = list(faults(study))
    if lines:
        raise ValueError("\n".join(lines))
    return study


def _entries(config: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield group, name and block of each dataset and landmark model."""
    for group in ("datasets", "models"):
        its = config.get(group)
        for name, block in its.items() if isinstance(its, Mapping) else ():
            if isinstance(block, Mapping):
                yield group, name, block


def _read_entry(
    group: str, name: str, block: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Return a completed block of what its adapter or its detector declares, or what is wrong."""
    where = spelt((group, name))
    if group == "datasets":
        kind, known, word = block.get("adapter"), adapters(), "adapter"
    elif imported.KEY in block:
        return _read(imported_model(imported.POINTS), block, where)
    else:
        kind, known, word = block.get("model", name), detectors(), "model"
    if kind not in known:
        return {}, [f"{where}: no {word} {kind!r}; {nearest(kind, known)}"]
    return _read(dataset_model(kind) if group == "datasets" else detector_model(kind), block, where)


def _read(
    model: type[Closed], block: Mapping[str, Any], where: str
) -> tuple[dict[str, Any], list[str]]:
    """Return a completed block, or the lines of what is wrong in it."""
    try:
        return model.model_validate(dict(block)).model_dump(exclude_none=True), []
    except ValidationError as error:
        faulty = [
            (its["type"], its["loc"], its["msg" if its["type"] == UNMET else "input"])
            for its in error.errors()
        ]
        return {}, told(faulty, _schema(model), where)


@cache
def _schema(model: type[Closed]) -> dict[str, Any]:
    return model.model_json_schema()


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of the whole configuration, settings of every part included."""
    parts = {
        "datasets": [dataset_model(name) for name in adapters()],
        "models": [*map(detector_model, detectors()), imported_model(imported.POINTS)],
    }
    every = [study_model(), *parts["datasets"], *parts["models"]]
    refs, schema = models_json_schema([(model, "validation") for model in every])
    study = schema["$defs"].pop("study")
    for group, models in parts.items():
        pattern = next(iter(study["properties"][group].pop("patternProperties")))
        each = {"anyOf": [refs[model, "validation"] for model in models]}
        study["properties"][group] |= {"patternProperties": {pattern: each}}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **study, **schema}
