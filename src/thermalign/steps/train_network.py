"""Train the network of a matcher on people of a dataset of its own."""

from pathlib import Path
from typing import Any

from thermalign import tables
from thermalign.cut import device
from thermalign.networks.people import paired, sides_of
from thermalign.networks.two_branch import Settings, fit
from thermalign.provenance import stamp
from thermalign.records import points_of
from thermalign.schemas.dataset import ANNOTATIONS, IMAGES
from thermalign.settings import parse
from thermalign.states import save_state
from thermalign.training.checkpoint import Checkpoint, checkpoint_key
from thermalign.training.loop import Run
from thermalign.verification import alignment as aligned
from thermalign.verification.descriptors import Settings as Described


def run(
    *,
    images: Path,
    annotations: Path,
    network: str,
    dataset: str,
    adapter: str,
    settings: dict[str, Any],
    matcher: dict[str, Any],
    alignment: dict[str, Any],
    seed: int,
    state: Path,
    checkpoint: Path,
    code: str,
) -> None:
    """Write the trained state, with ``people`` it saw and the training's ``curve``.

    Validation people are among them, for they choose the state. Names of rendered people have the
    dataset's before them, since every rendered dataset has the same; see
    ``config/networks.py`` for what a protocol may test.

    Parameters
    ----------
    images, annotations : Path of the tables
    network : wildcard
    dataset : str
    adapter : the dataset's
    settings : the network's block of the configuration
    matcher : ``dog`` and ``features`` of the ``matcher:`` block
    alignment : the ``alignment:`` block
    seed : int
    state : Path of the safetensors file
    checkpoint : Path of what a killed training goes on from; deleted at the end
    code : str
    """
    asked, described = parse(Settings, settings, f"networks.{network}"), Described.of(matcher)
    where = parse(aligned.Settings, alignment, "alignment")
    rows = tables.read(images, IMAGES)
    points = points_of(tables.read(annotations, ANNOTATIONS), list(rows["image_id"]))
    rows, points = paired(rows, points, where)
    on = device()
    sides = sides_of(rows, points, asked, described=described, aligned=where, seed=seed, on=on)
    told = {"network": network, "dataset": dataset, "seed": seed, **settings}
    told |= {"matcher": matcher, "alignment": alignment}
    key = checkpoint_key([images, annotations], code, told, on)
    kept = Checkpoint(checkpoint, key)
    trained = fit(sides, asked, described.features, seed=seed, run=Run(checkpoint=kept))
    people = sorted(rows["subject_id"].unique())
    names = [f"{dataset}/{name}" for name in people] if adapter == "simulator" else people
    curve = [[its.step, its.loss, its.validation_nmse, its.core_seconds] for its in trained.curve]
    save_state(
        state,
        trained,
        {**stamp(code, told), **trained.notes, "people": names, "curve": curve, "device": on.type},
    )
    kept.remove()
