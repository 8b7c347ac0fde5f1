"""A small set of drawn faces that nothing is wrong with, and what can be made wrong with it."""

import csv
from dataclasses import dataclass

import cv2
import numpy as np

from thermalign.geometry import LANDMARKS

PEOPLE, MOMENTS = 12, 3
WIDTH, HEIGHT = 100, 120
SHAPE = np.array([(-0.5, 0), (0.5, 0), (0.0, 0.6), (-0.38, 1.05), (0.38, 1.05)])
EYES = 28.0  # px
BOX = ("box_x", "box_y", "box_width", "box_height")


@dataclass
class Drawn:
    """Rows by image_id, and their pictures."""

    rows: dict
    pictures: dict

    def points(self, image):
        row = self.rows[image]
        return np.array([[float(row[f"{n}_{axis}"]) for axis in "xy"] for n in LANDMARKS])

    def place(self, image, points, decimals=3):
        for name, (x, y) in zip(LANDMARKS, points, strict=True):
            self.rows[image] |= {f"{name}_x": round(x, decimals), f"{name}_y": round(y, decimals)}

    def box_of(self, image):
        return [float(self.rows[image][name]) for name in BOX]

    def box(self, image, box):
        self.rows[image] |= dict(zip(BOX, (round(float(v), 2) for v in box), strict=True))

    def of(self, modality):
        return [image for image, row in self.rows.items() if row["modality"] == modality]

    def write(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        for image, picture in self.pictures.items():
            data = picture if isinstance(picture, bytes) else cv2.imencode(".png", picture)[1]
            (folder / f"{image}.png").write_bytes(bytes(data))
        names = list(dict.fromkeys(key for row in self.rows.values() for key in row))
        with (folder / "faces.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, names, restval="")
            writer.writeheader()
            writer.writerows(self.rows.values())
        return folder / "faces.csv"


def draw_set(seed=0):
    """Return pairs of images of PEOPLE in MOMENTS, annotated and boxed as careful people would."""
    rng = np.random.default_rng(seed)
    drawn = Drawn({}, {})
    for person in range(PEOPLE):
        own = SHAPE + rng.normal(0, 0.03, SHAPE.shape)
        skin = {m: rng.random((9, 8)) for m in ("thermal", "visible")}
        for moment in range(MOMENTS):
            for modality in ("thermal", "visible"):
                image = f"p{person}m{moment}{modality[0]}"
                drawn.rows[image] = {
                    "path": f"{image}.png", "subject_id": f"p{person}", "image_id": image,
                    "modality": modality, "pair_id": f"p{person}m{moment}",
                }  # fmt: skip
                turn, unit = rng.normal(0, 0.08), EYES * np.exp(rng.normal(0, 0.08))
                cosine, sine = np.cos(turn), np.sin(turn)
                matrix = unit * np.array([(cosine, -sine), (sine, cosine)])
                middle = np.array([WIDTH / 2, HEIGHT * 0.38]) + rng.normal(0, 5, 2)
                points = own @ matrix.T + middle + rng.normal(0, 0.3, SHAPE.shape)
                drawn.place(image, points)
                size = unit * np.array([2.3, 2.9]) * np.exp(rng.normal(0, 0.05, 2))
                centre = points.mean(0) + rng.normal(0, 0.07 * unit, 2)
                drawn.box(image, [*(centre - size / 2 + 0.5), *size])
                drawn.pictures[image] = picture(rng, skin[modality], points, modality)
    return drawn


def picture(rng, skin, points, modality):
    """Draw a face: smooth skin of its own, dark spots at the landmarks, noise."""
    face = cv2.resize(skin, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    centre = points.mean(0)
    inside = ((x - centre[0]) / 32) ** 2 + ((y - centre[1]) / 42) ** 2 < 1
    face = np.where(inside, 0.55 + 0.25 * face, 0.2)
    for px, py in points:
        face = face - 0.25 * np.exp(-((x - px) ** 2 + (y - py) ** 2) / 18)
    face = face + rng.normal(0, 0.02, face.shape)
    if modality == "thermal":
        return np.clip(7000 + 2500 * face, 0, 65535).astype(np.uint16)
    return np.clip(20 + 200 * face, 0, 255).astype(np.uint8)
