"""Use a trained detector on a user's own images."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

from thermalign.config import check_detector
from thermalign.failures import is_explained, one_line
from thermalign.geometry import LANDMARKS
from thermalign.ingest.table import Settings, read
from thermalign.steps._model import load_model, read_metadata, read_state
from thermalign.steps._outputs import check_output
from thermalign.steps._stack import boxes_of, cut_images, predict_cut, read_images
from thermalign.tables import replace_file


def predict_manifest(
    state: Path, manifest: Path, output: Path, *, modality: str, thermal_colour: str = "refuse"
) -> None:
    """Predict the landmarks of a manifest's images, which need face boxes, into a CSV file.

    Parameters
    ----------
    state : Path of a trained model
    manifest : Path of a CSV as :mod:`thermalign.ingest.table` describes
    output : Path of a CSV with image_id and x, y, confidence of every landmark
    modality : of images that do not say theirs
    thermal_colour : refuse or luma, as in :class:`thermalign.ingest.table.Settings`

    Raises
    ------
    ValueError
        If an image has no face box, the state is no trained model that this version can use, or
        ``output`` is something that must not be replaced.
    """
    inputs = {"the trained model": [state], "the manifest": [manifest]}
    check_output(output, inputs, ours=Path.is_file)  # the rest once the images are known
    module, settings = trained_model(state)
    reading = Settings(
        manifest.parent,
        Path(manifest.name),
        defaults={"modality": modality},
        thermal_colour=thermal_colour,
    )
    found = read(reading)
    images, boxes = found.images, found.boxes
    inputs["an image of the manifest"] = [Path(path) for path in images["path"]]
    target = check_output(output, inputs, ours=_holds_landmarks)
    bare = images.loc[~images["image_id"].isin(boxes["image_id"]), "image_id"]
    if len(bare):
        raise ValueError(
            f"{manifest}: image {bare.iloc[0]} has no face box; give box_x, box_y, "
            "box_width and box_height"
        )
    cut = cut_images(read_images(images), boxes_of(images, boxes), module.reach(settings))
    try:
        points, confidence = predict_cut(module, read_state(state), cut, settings)
    except (RuntimeError, KeyError) as error:
        if is_explained(error):  # out of memory, say
            raise
        raise ValueError(
            f"{state}: its tensors are not those of its settings ({one_line(str(error))}); "
            "train it again with this version"
        ) from error
    table = pd.DataFrame({"image_id": images["image_id"]})
    for n, landmark in enumerate(LANDMARKS):
        table[f"{landmark}_x"], table[f"{landmark}_y"] = points[:, n].T
        table[f"{landmark}_confidence"] = confidence[:, n]
    replace_file(target, lambda path: table.to_csv(path, index=False))


def trained_model(state: Path) -> tuple[ModuleType, Any]:
    """Return the module and the settings of a trained model.

    Raises
    ------
    ValueError
        If the file is none, or this version lacks its detector or one of its settings.
    """
    if not state.is_file():
        raise ValueError(f"{state}: no such trained model; run a study first")
    described = read_metadata(state)["settings"]
    if not isinstance(described, dict) or not {"detector", "model", "seed"} <= described.keys():
        raise ValueError(f"{state}: is not a trained landmark model; name a state.safetensors")
    name, detector = described.pop("model"), described.pop("detector")
    described.pop("seed")
    check_detector(f"{state} (of another version?)", detector)
    try:
        return load_model(detector, described, name)
    except ValueError as error:
        raise ValueError(f"{state}: {error}; if another version trained it, train again") from error


def _holds_landmarks(path: Path) -> bool:
    """Return whether a file begins as what :func:`predict_manifest` writes."""
    begins = f"image_id,{LANDMARKS[0]}_x,{LANDMARKS[0]}_y,".encode()
    with path.open("rb") as file:
        return file.read(len(begins)) == begins
