"""``thermalign points``, ``thermalign scores``: a study's for other programs, theirs for it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

points = typer.Typer(help="Landmarks for, and of, other programs.", no_args_is_help=True)
scores = typer.Typer(help="Scores for, and of, other matchers.", no_args_is_help=True)

Results = Annotated[Path, typer.Argument(help="Results folder of a study.")]
Protocol = Annotated[str, typer.Argument(help="Name under protocols:.")]
Fold = Annotated[int, typer.Argument(help="Counts from 0.", min=0)]
Model = Annotated[str, typer.Argument(help="Name under models: or matchers:, or annotated.")]
Config = Annotated[Path, typer.Option("--configfile", help="Study to read.")]
File = Annotated[
    str, typer.Argument(help="File; {dataset}, {protocol} and {fold} in it stand for theirs.")
]
Name = Annotated[str, typer.Option("--as", help="Name of the row in the study.")]
CONFIG = Path("config.yaml")


@points.command("export")
def export_points(
    results: Results,
    protocol: Protocol,
    fold: Fold,
    model: Model,
    output: Annotated[Path, typer.Argument(help=".csv or .parquet file to write.")],
) -> None:
    """Write the landmarks of a model's test images, a row an image."""
    from thermalign.deploy import exchanged

    predictions = results / protocol / f"fold{fold}" / model / "predictions.parquet"
    typer.echo(f"{exchanged.export_points(predictions, output)} images: {output}")


@points.command("import")
def import_points(file: File, name: Name, *, configfile: Config = CONFIG) -> None:
    """Look at a file of landmarks as a study will read it, and print what to write there."""
    _look_at(file, name, configfile, "models")


@scores.command("export")
def export_scores(
    results: Results,
    protocol: Protocol,
    fold: Fold,
    model: Model,
    output: Annotated[Path, typer.Argument(help=".csv or .parquet file to write; or any name.")],
    *,
    form: Annotated[
        str, typer.Option("--format", help="csv, bob4, bob5, or pyeer (two files).")
    ] = "csv",
    same_moment: Annotated[
        str,
        typer.Option(help="exclude or keep; default: both, where the format can say it."),
    ] = "",
    configfile: Config = CONFIG,
) -> None:
    """Write the scores of every comparison of a model."""
    from thermalign.config.models import read_study
    from thermalign.deploy import exchanged

    study = read_study([configfile], {})
    if protocol not in study["protocols"]:
        raise ValueError(f"no protocol {protocol!r}; use one of {list(study['protocols'])}")
    images = results / "data" / study["protocols"][protocol]["dataset"] / "images.parquet"
    table = results / protocol / f"fold{fold}" / model / "scores.parquet"
    made = exchanged.export_scores(table, images, output, form=form, reading=same_moment)
    _print(f"{count} comparisons: {path}" for path, count in made.items())


@scores.command("trials")
def export_trials(
    results: Results,
    protocol: Protocol,
    fold: Fold,
    folder: Annotated[Path, typer.Argument(help="Folder for probes.csv and gallery.csv.")],
    *,
    configfile: Config = CONFIG,
) -> None:
    """Write which probes another matcher is to compare with which enrolled images."""
    from thermalign.config.models import read_study
    from thermalign.deploy import exchanged

    made = exchanged.export_trials(results, read_study([configfile], {}), protocol, fold, folder)
    typer.echo(f"{made} scores to give: {folder}")


@scores.command("import")
def import_scores(file: File, name: Name, *, configfile: Config = CONFIG) -> None:
    """Look at a file of scores as a study will read it, and print what to write there."""
    _look_at(file, name, configfile, "matchers")


def _look_at(file: str, name: str, configfile: Path, block: str) -> None:
    """Check a file against a study that has run, then print the lines of its configuration.

    Raises
    ------
    ValueError
        If the file, or the row's name, cannot be in the study.
    """
    from thermalign.config.models import check_places, check_study, read_study
    from thermalign.deploy import exchanged

    study = read_study([configfile], {})
    rows = study.get(block, {})
    if "from" not in rows.get(name, {"from": file}):
        raise ValueError(f"{configfile}: {block}.{name} is trained there; name the row otherwise")
    changed = check_study({**study, block: {**rows, name: {"from": file}}})
    check_places(changed, Path.cwd())
    _print(exchanged.check_file(Path(study["results"]), changed, block, file))
    typer.echo(f"\n{block}:\n  {name}: {{from: {_quoted(file)}}}")


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)


def _quoted(text: str) -> str:
    """Return text as YAML reads it back, on one line within braces."""
    return "'" + text.replace("'", "''") + "'"
