"""``thermalign``: the study's entry points for people."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

app = typer.Typer(
    help="Landmark detectors on thermal faces, and what their error costs face verification.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Config = Annotated[
    Path, typer.Option("--configfile", help="Study to read; its models and settings.")
]
CONFIG = Path("config.yaml")


@app.command()
def run(
    configfile: Config = CONFIG,
    cores: Annotated[int, typer.Option(help="Cores to use.", min=1)] = 2,
    data: Annotated[str, typer.Option(help="Folder of your own images: config key data.")] = "",
    dry: Annotated[bool, typer.Option("--dry-run", help="Only list what would run.")] = False,
) -> None:
    """Run a study: everything that is missing or out of date, up to its report."""
    command = [sys.executable, "-m", "snakemake", "--cores", str(cores), "--rerun-incomplete"]
    command += ["--configfile", str(configfile)]
    command += ["--dry-run"] if dry else []
    command += ["--config", f"data={data}"] if data else []
    raise typer.Exit(subprocess.call(command))


@app.command()
def models(configfile: Config = CONFIG) -> None:
    """List every detector with its parameter count, as configured and at the paper's settings."""
    from thermalign.steps._counts import parameter_counts

    table = parameter_counts(read_config(configfile)["models"])
    typer.echo(f"{'model':<16}{'detector':<16}{'configured':>14}{'paper':>14}")
    for row in table.itertuples():
        typer.echo(f"{row.model:<16}{row.detector:<16}{row.configured:>14,}{row.paper:>14,}")


@app.command()
def predict(
    state: Annotated[Path, typer.Argument(help="state.safetensors of a trained model.")],
    manifest: Annotated[Path, typer.Argument(help="CSV manifest of images with face boxes.")],
    output: Annotated[Path, typer.Argument(help="CSV file to write.")],
    modality: Annotated[str, typer.Option(help="Of images without one.")] = "thermal",
) -> None:
    """Predict landmarks of your own images with a trained model."""
    from thermalign.steps._deploy import predict_manifest

    predict_manifest(state, manifest, output, modality=modality)
    typer.echo(f"Landmarks: {output}")


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
    from thermalign.steps._export import export_faces

    protocols = read_config(configfile)["protocols"]
    if protocol not in protocols:
        raise ValueError(f"no protocol {protocol!r} in {configfile}; use one of {list(protocols)}")
    folder = results / protocol / f"fold{fold}"
    images = results / "data" / protocols[protocol]["dataset"] / "images.parquet"
    count = export_faces(folder / model / "faces.parquet", images, folder / "folds.parquet", output)
    typer.echo(f"{count} aligned faces: {output}")


@app.command()
def metrics(
    results: Annotated[Path, typer.Argument(help="Results folder of a study.")] = Path("results"),
    metric: Annotated[str, typer.Option(help="nmse, eer, rank1, ...")] = "nmse",
) -> None:
    """Print a metric of a finished study by protocol, model and subset."""
    from thermalign import tables
    from thermalign.schemas.measures import SUMMARY

    table = tables.read(results / "compare" / "summary.parquet", SUMMARY)
    rows = table[(table["metric"] == metric) & (table["at"] == 0)]
    if rows.empty:
        raise ValueError(f"no metric {metric!r}; use one of {sorted(table['metric'].unique())}")
    shown = ["protocol", "subset", "model", "value", "low", "high", "n"]
    typer.echo(rows.sort_values(shown[:3])[shown].to_string(index=False, float_format="%.4f"))


def read_config(path: Path) -> dict[str, Any]:
    """Read a configuration file.

    Raises
    ------
    ValueError
        If it is missing or has no models.
    """
    if not path.is_file():
        raise ValueError(f"{path}: no such configuration; name one with --configfile")
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(config, dict) or not config.get("models"):
        raise ValueError(f"{path}: has no models:; see config.yaml for an example")
    return config


def main() -> None:
    """Run the command line; a user's error is one line and exit status 1."""
    try:
        app()
    except (ValueError, FileNotFoundError) as error:
        message = str(error).replace("\n", " ")
        typer.echo(f"thermalign: {message}", err=True)
        sys.exit(1)
