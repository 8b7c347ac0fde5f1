"""Use a trained detector on a user's own images."""

from pathlib import Path

import pandas as pd

from thermalign.geometry import LANDMARKS
from thermalign.ingest.table import Settings, read
from thermalign.steps._model import load_model, read_metadata, read_state
from thermalign.steps._stack import boxes_of, cut_images, predict_cut, read_images
from thermalign.tables import replace_file


def predict_manifest(state: Path, manifest: Path, output: Path, *, modality: str) -> None:
    """Predict the landmarks of a manifest's images, which need face boxes, into a CSV file.

    Parameters
    ----------
    state : Path of a trained model
    manifest : Path of a CSV as :mod:`thermalign.ingest.table` describes
    output : Path of a CSV with image_id and x, y, confidence of every landmark
    modality : of images that do not say theirs

    Raises
    ------
    ValueError
        If an image has no face box, or the file is no trained model.
    """
    if not state.is_file():
        raise ValueError(f"{state}: no such trained model; run a study first")
    described = read_metadata(state)["settings"]
    if "detector" not in described:
        raise ValueError(f"{state}: is not a trained landmark model")
    name, detector = described.pop("model"), described.pop("detector")
    described.pop("seed")
    module, settings = load_model(detector, described, name)
    found = read(Settings(manifest.parent, Path(manifest.name), defaults={"modality": modality}))
    images, boxes = found.images, found.boxes
    bare = images.loc[~images["image_id"].isin(boxes["image_id"]), "image_id"]
    if len(bare):
        raise ValueError(f"{manifest}: image {bare.iloc[0]} has no face box; give box_x, ...")
    cut = cut_images(read_images(images), boxes_of(images, boxes), module.reach(settings))
    points, confidence = predict_cut(module, read_state(state), cut, settings)
    table = pd.DataFrame({"image_id": images["image_id"]})
    for n, landmark in enumerate(LANDMARKS):
        table[f"{landmark}_x"], table[f"{landmark}_y"] = points[:, n].T
        table[f"{landmark}_confidence"] = confidence[:, n]
    replace_file(output, lambda path: table.to_csv(path, index=False))
