"""Use a trained detector on a user's own images."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors import safe_open

from thermalign.geometry import LANDMARKS
from thermalign.images import read_image
from thermalign.ingest.table import Settings, read
from thermalign.steps._model import device, load_model, read_state
from thermalign.tables import replace_file
from thermalign.warp import stack_images


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
    with safe_open(state, framework="pt") as file:
        described = json.loads((file.metadata() or {}).get("settings", "{}"))
    if "detector" not in described:
        raise ValueError(f"{state}: is not a trained landmark model")
    name, detector = described.pop("model"), described.pop("detector")
    described.pop("seed")
    module, settings = load_model(detector, described, name)
    images, _, boxes = read(
        Settings(manifest.parent, Path(manifest.name), defaults={"modality": modality})
    )
    bare = images.loc[~images["image_id"].isin(boxes["image_id"]), "image_id"]
    if len(bare):
        raise ValueError(f"{manifest}: image {bare.iloc[0]} has no face box; give box_x, ...")
    stack = stack_images([read_image(row) for row in images.to_dict("records")], device())
    place = boxes.set_index("image_id").loc[images["image_id"]].to_numpy(np.float32)
    with torch.inference_mode():
        points, confidence = module.predict(
            read_state(state), stack, torch.as_tensor(place).to(device()), settings
        )
    table = pd.DataFrame({"image_id": images["image_id"]})
    for n, landmark in enumerate(LANDMARKS):
        table[f"{landmark}_x"], table[f"{landmark}_y"] = points[:, n].cpu().numpy().T
        table[f"{landmark}_confidence"] = confidence[:, n].cpu().numpy()
    replace_file(output, lambda path: table.to_csv(path, index=False))
