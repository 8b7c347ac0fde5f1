"""``thermalign``: the study's entry points for people."""

import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from thermalign import exchange_cli
from thermalign.failures import Ended, end, explain, is_explained
from thermalign.versions import own_version

app = typer.Typer(
    help="Landmark detectors on thermal faces, and what their error costs face verification.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
export = typer.Typer(help="Write a trained model for other programs.", no_args_is_help=True)
app.add_typer(export, name="export")
app.add_typer(exchange_cli.points, name="points")
app.add_typer(exchange_cli.scores, name="scores")
Config = Annotated[
    Path, typer.Option("--configfile", help="Study to read; its models and settings.")
]
CONFIG = Path("config.yaml")
TRACEBACK = "THERMALIGN_TRACEBACK"
"""Environment variable that lets an error end in its traceback."""


def show_version(asked: bool) -> None:
    """Print the version and end, where it is asked for."""
    if asked:
        typer.echo(f"thermalign {own_version()}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=show_version, is_eager=True),
    ] = False,
) -> None:
    """Landmark detectors on thermal faces, and what their error costs face verification."""


@app.command()
def run(
    configfile: Annotated[
        list[Path] | None,
        typer.Option(help="Study to read, default config.yaml; others are merged over the first."),
    ] = None,
    cores: Annotated[int, typer.Option(help="Cores to use.", min=1)] = 2,
    data: Annotated[str, typer.Option(help="Folder of your own images: config key data.")] = "",
    dry: Annotated[bool, typer.Option("--dry-run", help="Only list what would run.")] = False,
    detector: Annotated[
        bool, typer.Option("--detector", help="Only the detector to take home, and no report.")
    ] = False,
) -> None:
    """Run a study: everything that is missing or out of date, up to its report."""
    from thermalign.study import check_writable, run_study

    how = ["--cores", str(cores), "--rerun-incomplete", *(["--dry-run"] if dry else [])]
    study, arguments = study_asked_for(configfile, data, detector=detector, how=how)
    if not dry:
        check_writable(Path(str(study["results"])))
    status = run_study(arguments)
    if status == 0 and not dry:
        what, place = ("Detector", "detector") if detector else ("Report", "report/index.html")
        typer.echo(f"{what}: {Path(str(study['results']), place).absolute()}")
    raise typer.Exit(status)


@app.command()
def plan(
    configfile: Annotated[
        list[Path] | None,
        typer.Argument(help="Study, default config.yaml; others are merged over the first."),
    ] = None,
    costs: Annotated[
        list[Path] | None,
        typer.Option(help="Results of finished studies, whose costs are scaled; default results."),
    ] = None,
    cores: Annotated[int, typer.Option(help="Cores to run on.", min=1)] = 2,
    data: Annotated[str, typer.Option(help="Folder of your own images: config key data.")] = "",
) -> None:
    """Tell what a study will take before it runs: jobs, hours, memory and disk by rule."""
    from thermalign.plan.estimate import estimate
    from thermalign.plan.jobs import jobs_of
    from thermalign.plan.measured import costs_of
    from thermalign.plan.told import table

    study, _ = study_asked_for(configfile, data, detector=False)
    measured = [cost for results in costs or [Path("results")] for cost in costs_of(results)]
    for line in table(estimate(jobs_of(study), measured), cores):
        typer.echo(line)


@app.command()
def why(
    job: Annotated[
        list[str] | None,
        typer.Argument(help="Output, or rule and wildcards: train p1/fold0/dan; default: all due."),
    ] = None,
    configfile: Annotated[
        list[Path] | None,
        typer.Option(help="Study to read, default config.yaml; others are merged over the first."),
    ] = None,
    data: Annotated[str, typer.Option(help="Folder of your own images: config key data.")] = "",
    detector: Annotated[
        bool, typer.Option("--detector", help="Of the detector to take home, and no report.")
    ] = False,
) -> None:
    """Say what made a job due, in one line: whose code, which setting, which file."""
    from thermalign.due import reasons

    _, arguments = study_asked_for(configfile, data, detector=detector)
    if job:
        typer.echo(reasons.why(" ".join(job), arguments))
        return
    lines = reasons.why_all(arguments)
    typer.echo("\n".join(lines) or "Nothing is due.")


@app.command()
def adapt(
    adapter: Annotated[str, typer.Argument(help="Format of the dataset: carl, tfw, ...")],
    root: Annotated[Path, typer.Argument(help="Folder of the dataset.")],
    out: Annotated[Path, typer.Option(help="Manifest to write, a CSV file that is not there yet.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Setting of the adapter: nose=estimated.")
    ] = None,
) -> None:
    """Write the manifest of a dataset that lies in folders as it was published; opens no image."""
    from thermalign.catalogue import trees
    from thermalign.ingest import tree

    if adapter not in trees():
        raise ValueError(f"no adapter {adapter!r}; use one of {', '.join(trees())}")
    left_out = out.with_name(f"{out.stem}_left_out.csv")
    if out.suffix != ".csv":
        raise ValueError(f"{out}: is no name of a CSV file; end it in .csv")
    for path in (out, left_out):
        if path.exists():
            raise ValueError(f"{path}: is there already; remove it, or name another by --out")
    block: dict[str, Any] = {"folder": str(root)}
    for name, value in map(setting_of, settings or []):
        if name in block:
            raise ValueError(f"--set {name}: is set already; give each once, the folder by ROOT")
        block[name] = value
    made = tree.list_tree(adapter, block, "--set")
    tree.write_tree(made, out, left_out)
    people = len({row["subject_id"] for row in made.rows})
    typer.echo(f"{out}: {len(made.rows)} images of {people} people")
    typer.echo(f"{left_out}: {len(made.left_out)} records left out")


def setting_of(text: str) -> tuple[str, Any]:
    """Return name and value of a setting that is given as ``name=value``, the value as in YAML.

    Raises
    ------
    ValueError
        If it is no such pair.
    """
    import yaml

    name, is_set, value = text.partition("=")
    try:
        if is_set:
            return name, yaml.safe_load(value)
    except yaml.YAMLError:
        pass
    raise ValueError(f"--set {text}: is no setting; write name=value, as in nose=estimated")


@app.command()
def models(configfile: Config = CONFIG) -> None:
    """List every detector with its parameter count, as configured and at the paper's settings."""
    from thermalign.landmarks.models import parameter_counts

    table = parameter_counts(study_of(configfile)["models"])
    typer.echo(f"{'model':<16}{'detector':<16}{'configured':>14}{'paper':>14}")
    for row in table.itertuples():
        typer.echo(f"{row.model:<16}{row.detector:<16}{row.configured:>14,}{row.paper:>14,}")


@app.command()
def predict(
    inputs: Annotated[list[Path], typer.Argument(help="Images, folders of them, CSV manifests.")],
    *,
    model: Annotated[
        Path | None, typer.Option(help="State that places landmarks; default: the package's own.")
    ] = None,
    finder: Annotated[
        Path | None, typer.Option(help="State that finds faces; default: the package's own.")
    ] = None,
    boxes: Annotated[
        str | None,
        typer.Option(
            help="Where faces are: found, given (by the manifest) or whole (the image is one); "
            "default: given where there is one, found elsewhere."
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help=".csv or .parquet file to write.")] = Path("points.csv"),
    overlay: Annotated[
        Path | None, typer.Option(help="Folder for images with what was found drawn on them.")
    ] = None,
    aligned: Annotated[Path | None, typer.Option(help="Folder for aligned faces.")] = None,
    smallest: Annotated[
        float | None, typer.Option(help="Least pixels between the eyes.", min=0)
    ] = None,
    largest_error: Annotated[
        float | None,
        typer.Option(help="Largest expected error, interocular distances.", min=0),
    ] = None,
    modality: Annotated[
        str, typer.Option(help="What the model was trained on; of images that do not say.")
    ] = "thermal",
    thermal_colour: Annotated[
        str, typer.Option(help="Thermal images in colour: refuse them, or read their luma.")
    ] = "refuse",
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Refuse faces that do not look thermal.")
    ] = True,
) -> None:
    """Find the faces of your own images and their landmarks.

    The exit status is 1 where an image could not be read; the others are predicted all the same.
    """
    from thermalign.deploy import load, predict_images
    from thermalign.deploy.inputs import check_inputs

    check_inputs(inputs)
    limits = {"smallest": smallest, "largest_error": largest_error}
    given = {name: limit for name, limit in limits.items() if limit is not None}
    detector = load(model, finder=finder, modality=modality, check=check, **given)
    done = predict_images(
        inputs,
        detector,
        out,
        boxes=boxes,
        thermal_colour=thermal_colour,
        overlay=overlay,
        aligned=aligned,
    )
    typer.echo(f"{done}: {out}")
    if done.unreadable:
        more = len(done.unreadable) - 1
        others = f" (and {more} more: see {out})" if more else ""
        raise ValueError(f"{done.unreadable[0]}{others}")


@app.command()
def faces(
    results: Annotated[Path, typer.Argument(help="Results folder of a study.")],
    protocol: Annotated[str, typer.Argument(help="Name under protocols:.")],
    fold: Annotated[int, typer.Argument(help="Counts from 0.", min=0)],
    model: Annotated[str, typer.Argument(help="Whose landmarks aligned them; or annotated.")],
    output: Annotated[Path, typer.Argument(help=".npz file to write.")],
    *,
    configfile: Config = CONFIG,
) -> None:
    """Export aligned faces of a finished study as arrays that other matchers read."""
    from thermalign.deploy import export_faces

    protocols = study_of(configfile)["protocols"]
    if protocol not in protocols:
        raise ValueError(f"no protocol {protocol!r} in {configfile}; use one of {list(protocols)}")
    folder = results / protocol / f"fold{fold}"
    images = results / "data" / protocols[protocol]["dataset"] / "images.parquet"
    count = export_faces(folder / model / "faces.parquet", images, folder / "folds.parquet", output)
    typer.echo(f"{count} aligned faces: {output}")


@app.command()
def audit(
    data: Annotated[
        Path, typer.Argument(help="CSV manifest, study (.yaml), or folder of an ingested dataset.")
    ],
    *,
    dataset: Annotated[str, typer.Option(help="Name under datasets: of the study.")] = "",
    images: Annotated[
        str, typer.Option("--data", help="Folder of the study's images: config key data.")
    ] = "",
    modality: Annotated[
        str, typer.Option(help="Of a manifest's images, where it has no such column.")
    ] = "",
    out: Annotated[Path, typer.Option(help="Folder to write the page and the tables to.")] = Path(
        "audit"
    ),
) -> None:
    """Look for what is wrong with a dataset, before an hour is spent on it.

    The exit status is 1 where something is found with which a study does not begin.
    """
    from thermalign.audit.examine import told
    from thermalign.audit.sources import CODE, PAGE, audit_of, check_folder, write_audit
    from thermalign.provenance import stamp

    check_folder(out, data)
    study = study_of(data) if data.suffix in (".yaml", ".yml") else None
    if study is not None and images:
        study["data"] = images
    audited = audit_of(data, study, dataset=dataset, modality=modality)
    write_audit(audited, out, stamp(CODE, {"data": str(data)}))
    left = f", {len(audited.left_out)} left out" if audited.left_out else ""
    typer.echo(f"{audited.name}: {told(audited.findings)}{left}: {out / PAGE}")
    if audited.stops:
        raise ValueError(f"{audited.stops[0].reason} ({told(audited.stops)}: see {out / PAGE})")


@export.command()
def onnx(
    state: Annotated[Path, typer.Argument(help="state.safetensors of a trained model.")],
    output: Annotated[Path, typer.Argument(help=".onnx file to write.")] = Path("landmarks.onnx"),
) -> None:
    """Export a landmark model as ONNX, with what a host needs to use it in its metadata."""
    from thermalign.deploy.onnx import export_onnx

    export_onnx(state, output)
    typer.echo(f"ONNX: {output}")


@app.command()
def metrics(
    results: Annotated[Path, typer.Argument(help="Results folder of a study.")] = Path("results"),
    metric: Annotated[str, typer.Option(help="nmse, eer, rank1, ...")] = "nmse",
    subset: Annotated[str, typer.Option(help="Only subsets that hold this: range=1, all.")] = "",
) -> None:
    """Print a metric of a finished study by protocol, subset, model and abscissa."""
    from thermalign import tables
    from thermalign.schemas.keys import SUBSET, Subset
    from thermalign.schemas.measures import SUMMARY

    path = results / "compare" / "summary.parquet"
    table = tables.read(path, SUMMARY)
    rows = table[table["metric"] == metric]
    if rows.empty:
        known = ", ".join(sorted(table["metric"].unique())) or "nothing: the table is empty"
        raise ValueError(f"{path}: no metric {metric!r}; use one of {known}")
    rows = rows.assign(subset=[spell(Subset(*key)) for key in rows[[*SUBSET]].to_numpy()])
    chosen = rows[rows["subset"].str.contains(subset, regex=False)]
    if chosen.empty:
        known = ", ".join(sorted(rows["subset"].unique()))
        raise ValueError(f"{path}: no subset of {metric} holds {subset!r}; there are {known}")
    keys = ["protocol", "subset", "model"] + (["at"] if rows["at"].any() else [])
    shown = [*keys, "value", "low", "high", "n"]
    typer.echo(chosen.sort_values(keys)[shown].to_string(index=False, float_format="%.4f"))


@app.command()
def show(
    results: Annotated[Path, typer.Argument(help="Results folder of a study.")] = Path("results"),
    table: Annotated[
        str, typer.Option(help="Only tables whose path holds this: error/protocol-1, differences.")
    ] = "",
    why: Annotated[
        bool, typer.Option("--why", help="Say of each claim what its verdict rests on.")
    ] = False,
) -> None:
    """Show a finished study: its answer, the verdict on the paper and the main tables.

    In colours on a terminal, unless NO_COLOR is set; without any elsewhere, a row a line.
    """
    from thermalign.report.terminal import show

    show(results, table=table, why=why)


def spell(subset: Any) -> str:
    """Return what a figure is about in a word for the terminal: ``volume=1&range=2``, or all."""
    told = {name: value for name, value in subset._asdict().items() if value}
    return "&".join(f"{name}={value}" for name, value in told.items()) or "all"


def study_of(configfile: Path) -> dict[str, Any]:
    """Read, check and complete a study's configuration.

    Raises
    ------
    ValueError
        Naming every key that is wrong, and what would be right.
    """
    from thermalign.config.models import read_study

    return read_study([configfile], {})


def study_asked_for(
    configfile: list[Path] | None, data: str, *, detector: bool, how: Sequence[str] = ()
) -> tuple[dict[str, Any], list[str]]:
    """Return a study, and the arguments, `how` among them, by which Snakemake is asked for it.

    Raises
    ------
    ValueError
        If the configuration is wrong, or names no detector to take home where that is asked for.
    """
    from thermalign.config.models import read_study

    files = configfile or [CONFIG]
    study = read_study(files, {"data": data} if data else {})
    if detector and "detector" not in study:
        raise ValueError(f"{files[0]}: detector: is missing, the models to take home; name them")
    arguments = ["pack"] if detector else []
    arguments += [*how, "--configfile", *map(str, files)]
    # Snakemake reads the value as YAML: quoted, it stays the text that it is.
    arguments += ["--config", f"data={json.dumps(data, ensure_ascii=False)}"] if data else []
    return study, arguments


def main() -> None:
    """Run the command line; whatever goes wrong is one line and exit status 1."""
    before = signal.signal(signal.SIGTERM, end)
    try:
        app()
    except Ended as error:
        typer.echo(f"thermalign: {explain(error)}", err=True)
        sys.exit(128 + signal.SIGTERM)
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        see = "" if is_explained(error) else f"; {TRACEBACK}=1 shows where"
        typer.echo(f"thermalign: {explain(error)}{see}", err=True)
        sys.exit(1)
    finally:
        signal.signal(signal.SIGTERM, before)
