"""Invented studies to render: seeded numbers that no experiment produced."""

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pandas as pd
from fake_confidence import SHARES, add_confidence, add_stated_variants
from fake_matching import (
    ABLATION,
    DISPLACEMENTS,
    add_carried,
    add_identification,
    add_matching,
)
from fake_rates import add_attributes, add_errors, add_rates, add_reading, add_shared

from thermalign.report.exhibits import DatasetCard, Example, Picture
from thermalign.report.inputs import read_setup
from thermalign.report.study import Study
from thermalign.schemas.descriptions import COSTS
from thermalign.schemas.keys import ALL, UNDISTURBED, VARIANT, Subset
from thermalign.schemas.measures import DIFFERENCES, SPREAD, SUMMARY
from thermalign.schemas.predictions import CURVES

NAN = float("nan")
# The values below are test data: the paper's printed figures shifted, not results.
NMSE = {
    "mtcnn": (0.199, 0.208, 0.192),
    "pbc": (0.171, 0.322, 0.640),
    "dan": (0.050, 0.055, 0.062),
    "mean_shape": (0.154, 0.154, 0.162),
}
EER = {
    "annotated": (0.144, 0.164, 0.167),
    "mtcnn": (0.301, 0.318, 0.322),
    "pbc": (0.262, 0.341, 0.447),
    "dan": (0.152, 0.171, 0.183),
    "mean_shape": (0.281, 0.290, 0.305),
}
COUNTS = {"subjects": 60.0, "images": 240.0, "annotated": 240.0, "pairs": 240.0}
SHOWN = {
    "kinds": 6.0,
    "contact_kinds": 6.0,
    "contact_subjects": 20.0,
    "marked_kinds": 6.0,
    "marked_subjects": 12.0,
    "marked_images": 12.0,
}
MEASURED = {
    "yaw_proxy": 0.01,
    "pitch_proxy": 0.68,
    "mouth_line": 1.05,
    "mouth_width": 0.78,
    "box_width": 2.31,
    "box_height": 2.88,
    "not_visible": 0.0,
    "mean_shape_nmse": 0.114,
}
LIKENESS = {
    "dataset": "faces",
    "modality": "thermal",
    "range": "",
    "statistic": "mouth_line",
    "unit": "IOD",
    "source": "CARL",
    "real_mean": 1.056,
    "real_sd": 0.092,
    "real_n": 2456,
    "mean": 1.049,
    "sd": 0.082,
    "n": 960,
    "difference": -0.08,
    "ratio": 0.89,
    "near_mean": 1.0,
    "near_spread": 1.5,
    "least_subjects": 10,
}
VERDICTS = ("agrees", "camera", "both differ", "box", "too few")
VARIANTS = {
    "shift_10": ({"shift": 0.1}, 1.2),
    "shift_30": ({"shift": 0.3}, 2.1),
    "scale_70": ({"scale": 0.7}, 1.9),
    "scale_130": ({"scale": 1.3}, 1.4),
    "found": ({"detector": "mtcnn"}, 1.05),
    "cold": ({"dataset": "cold"}, 1.3),
    "blurred": ({"dataset": "blurred"}, 1.1),
}
"""Name of a variant to its block, and to what it multiplies errors by."""
THRESHOLDS = np.linspace(0, 0.5, 51)
RATES = np.logspace(-3, 0, 61)
TEMPLATE = np.array([[33.0, 42.0], [79.0, 42.0], [56.0, 75.5], [37.5, 94.0], [74.5, 94.0]])


def empty(schema: Any) -> pd.DataFrame:
    return schema.empty_table().to_pandas()


class Rows:
    """Collects rows of SUMMARY."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def add(self, key: tuple[str, str, Subset], metric: str, value: float, **more: Any) -> None:
        protocol, model, subset = key
        row = {"dataset": "faces", "protocol": protocol, "model": model, **subset._asdict()}
        row |= {"metric": metric, "at": 0.0}
        row |= {"value": value, "low": NAN, "high": NAN, "fold_sd": 0.01, "n": 480, "n_folds": 5}
        self.rows.append(row | more)

    def frame(self) -> pd.DataFrame:
        return pd.DataFrame(self.rows, columns=SUMMARY.names)


def add_landmarks(rows: Rows, key: tuple[str, str, Subset], mean: float, *, n: int = 480) -> None:
    rows.add(key, "nmse", mean, low=0.93 * mean, high=1.08 * mean, n=n)
    rows.add(key, "nmse_sd", 0.4 * mean, n=n)
    for at in THRESHOLDS:
        share = float(1 - np.exp(-((at / mean) ** 3)))
        rows.add(key, "ced", share, at=float(at), low=share - 0.02, high=min(share + 0.02, 1), n=n)
    rows.add(key, "failure_rate", 0.004, n=n)
    add_errors(rows, key, mean)


def add_verification(rows: Rows, key: tuple[str, str, Subset], eer: float) -> None:
    rows.add(key, "eer", eer, low=eer - 0.03, high=eer + 0.034, n=14400)
    for at in RATES:
        power = np.log(1 - eer) / np.log(eer)
        accepted = float(at**power)
        low, high = max(accepted - 0.04, 0), min(accepted + 0.04, 1)
        rows.add(key, "roc", accepted, at=float(at), low=low, high=high, n=14400)
    for at, more in ((0.1, 0.2), (0.05, 0.0)):
        accepted = 0.6 + more - eer
        ends = {"low": accepted - 0.1, "high": accepted + 0.1}
        rows.add(key, "tar_at_far", accepted, at=at, n=14400, **ends)
    rows.add(key, "tar_at_far", NAN, at=0.01, n=14400)
    add_rates(rows, key, eer)
    add_identification(rows, key, eer)


def add_variants(rows: Rows, protocol: str) -> None:
    for model, means in NMSE.items():
        for i, reach in enumerate(("", "1", "2", "3")):
            before = means[max(i - 1, 0)]
            for variant, (_, times) in {UNDISTURBED: ({}, 1.0), **VARIANTS}.items():
                key = (protocol, model, Subset(VARIANT, variant, range=reach))
                after = before * times
                rows.add(key, "nmse", after, low=0.9 * after, high=1.1 * after)
                lost = 0.02 * i if variant == "found" else 0.0
                rows.add(key, "failure_rate", lost, low=lost, high=lost)
                if variant != UNDISTURBED:
                    ends = {"low": times - 0.1, "high": times + 0.1}
                    rows.add(key, "nmse_ratio", times, **ends)
    for i, reach in enumerate(("", "1", "2", "3")):
        subset = Subset(range=reach)
        for metric, value in (("recall", 0.99), ("precision", 0.95)):
            ends = {"low": value - 0.02 * i, "high": value}
            rows.add((protocol, "mtcnn", subset), f"detection_{metric}", value - 0.01 * i, **ends)
        rows.add((protocol, "mtcnn", subset), "false_alarms", 0.05 * i)
        rows.add((protocol, "mtcnn", subset), "without_detection", 0.01 * i)


def full_summary() -> pd.DataFrame:
    rows = Rows()
    for protocol, shrink in (("protocol1", 1.0), ("protocol2", 0.85)):
        for model, means in NMSE.items():
            for i, mean in enumerate(means, start=1):
                add_landmarks(rows, (protocol, model, Subset(range=str(i))), mean * shrink)
                if protocol == "protocol2":
                    add_landmarks(
                        rows, (protocol, model, Subset(volume="1", range=str(i))), mean * shrink
                    )
            average = sum(means) / 3 * shrink
            add_landmarks(rows, (protocol, model, ALL), average, n=1440)
            for landmark in ("right_eye", "left_eye", "nose_base", "right_mouth_corner"):
                rows.add((protocol, model, Subset(landmark=landmark)), "nmse", average * 0.9)
            for condition in ("baseline", "expression"):
                rows.add((protocol, model, Subset(condition=condition)), "nmse", average * 1.1)
            if protocol == "protocol2":
                for volume, factor in (("1", 1.0), ("2", 0.9)):
                    add_landmarks(rows, (protocol, model, Subset(volume=volume)), average * factor)
        for model, rates in EER.items():
            for i, rate in enumerate(rates, start=1):
                add_verification(rows, (protocol, model, Subset(range=str(i))), rate * shrink)
            add_verification(rows, (protocol, model, ALL), sum(rates) / 3 * shrink)
            for condition, more in (("baseline", 0.0), ("expression", 0.02)):
                rate = rates[0] + more
                key = (protocol, model, Subset(condition=condition))
                rows.add(key, "eer", rate, low=rate - 0.03, high=rate + 0.034, n=7200)
            add_reading(rows, protocol, model, tuple(rate * shrink for rate in rates))
            error = NMSE[model][0] if model in NMSE else 0.0
            add_attributes(rows, protocol, model, nmse=error, eer=rates[0])
    add_shared(rows, "protocol1", "protocol2")
    add_shared(rows, "protocol2", "protocol1")
    add_variants(rows, "protocol1")
    detected = {model: rates for model, rates in EER.items() if model != "annotated"}
    times = {UNDISTURBED: 1.0} | {name: factor for name, (_, factor) in VARIANTS.items()}
    add_carried(rows, "protocol1", detected, times)
    add_confidence(rows, "protocol1", NMSE, EER)
    add_stated_variants(rows, "protocol1", NMSE, times)
    add_matching(rows, "protocol1")
    return rows.frame()


def full_differences() -> pd.DataFrame:
    rows = []
    for protocol in ("protocol1", "protocol2"):
        accepted = {model: tuple(0.6 - rate for rate in rates) for model, rates in EER.items()}
        measured = (("nmse", NMSE, 0.0), ("eer", EER, 0.0), ("tar_at_far", accepted, 0.05))
        for metric, means, at in measured:
            for i, subset in ((0, Subset(range="1")), (2, Subset(range="3")), (1, ALL)):
                models = list(means)
                pairs = [(a, b) for k, a in enumerate(models) for b in models[k + 1 :]]
                for a, b in pairs:
                    value = means[a][i] - means[b][i]
                    wide = 0.012 + 0.1 * abs(value)
                    ends = (value - wide, value + wide)
                    p = min(1.0, float(np.exp(-6 * abs(value) / wide)))
                    counts = (480, p, min(1.0, 30 * p), 30)
                    rows.append(
                        ("faces", protocol, *subset, metric, at, a, b, value, *ends, *counts)
                    )
    return pd.DataFrame(rows, columns=DIFFERENCES.names)


def full_curves() -> pd.DataFrame:
    random = np.random.default_rng(1)
    rows = []
    stages = {"dan": ("stage1", "stage2"), "mtcnn": ("onet",), "pbc": ("patches",)}
    for model, names in stages.items():
        for fold in range(3):
            for stage in names:
                for step in range(10, 1010, 10):
                    loss = np.exp(-step / 250) + 0.06 + random.uniform(0, 0.03)
                    nmse = 0.05 + 0.3 * np.exp(-step / 200) if step % 50 == 0 else NAN
                    seconds = 0.05 * step + 50 * names.index(stage)
                    rows.append(("protocol1", fold, model, stage, step, loss, nmse, seconds))
    return pd.DataFrame(rows, columns=CURVES.names)


VISIBLE = {"modality": "visible", "conditions": ["baseline"]}
SIDES = {"probe": {"modality": "thermal", "conditions": []}, "gallery": VISIBLE}
SIZES = (10, 20, 40)
SEEDS = {f"dan_seed{k}": ("dan", k) for k in (1, 2, 3)}


def full_spread() -> pd.DataFrame:
    """Two protocols that belong to no series, and a series in which one model has three seeds."""
    rows = []
    for protocol, size in (("protocol1", 30), ("protocol2", 85), *((f"n{n}", n) for n in SIZES)):
        for model, means in NMSE.items():
            mean = means[0] * (1 + 8 / size if model != "mean_shape" else 1)
            several = model == "dan" and protocol.startswith("n")
            by_seed = (0.0011, 0.0018, 0.0025) if several else (NAN, NAN, NAN)
            se, sd, rest = by_seed
            row = (protocol, model, size, mean, 0.93 * mean, 1.08 * mean)
            rows.append((*row, se, 0.0031, sd, 0.015, rest, 3 if several else 1, 26))
    return pd.DataFrame(rows, columns=SPREAD.names)


def series_summary() -> pd.DataFrame:
    """The NMSE of the single trainings of the series."""
    rows = Rows()
    for size in SIZES:
        for model, (base, seed) in SEEDS.items():
            mean = NMSE[base][0] * (1 + 8 / size)
            rows.add((f"n{size}", model, ALL), "nmse", mean * (0.9 + 0.05 * seed), n=480)
    return rows.frame()


def full_costs() -> pd.DataFrame:
    rows = [("simulate", f"chunk{i}", 18.0, 17.1, 1.2, 410.0, "cpu", "") for i in range(4)] + [
        ("train", f"protocol1/{i}/{model}", wall, 0.97 * wall, 3.4, 1320.0, "cpu", "float32")
        for i in range(3)
        for model, wall in (("dan", 111.0), ("mtcnn", 140.2), ("pbc", 63.9))
    ]
    rows.append(("report", "", 6.25, 5.5, 2.0, 350.5, "cpu", ""))
    return pd.DataFrame(rows, columns=COSTS.names)


def face_pixels(seed: int, size: tuple[int, int] = (128, 112)) -> np.ndarray:
    random = np.random.default_rng(seed)
    y, x = np.mgrid[: size[0], : size[1]].astype(float)
    x, y = x * 112 / size[1], y * 128 / size[0]
    warm = 34.0 - 6.0 * (((x - 56) / 46) ** 2 + ((y - 64) / 60) ** 2 > 1)
    for (cx, cy), depth in zip(TEMPLATE, (1.6, 1.6, -2.2, 1.2, 1.2), strict=True):
        warm += depth * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 60)
    return warm + random.normal(0, 0.15, size)


def full_examples() -> list[Example]:
    random = np.random.default_rng(2)
    examples = []
    for i, (subject, size) in enumerate(
        [("s03", (128, 112)), ("s11", (128, 112)), ("s27", (128, 112)), ("s11", (52, 46))]
    ):
        scale = size[1] / 112
        reach = 1 if size[0] == 128 else 3
        for model in ("dan", "pbc", "mtcnn"):
            error = NMSE[model][reach - 1] * 46 * scale * 0.7
            predicted = TEMPLATE * scale + random.normal(0, error, (5, 2))
            for kind in ("typical", "worst"):
                points = predicted if kind == "typical" else predicted * 1.25
                face = face_pixels(i, size)
                examples.append(
                    Example(
                        "protocol1",
                        model,
                        subject,
                        reach,
                        face,
                        TEMPLATE * scale,
                        points,
                        NMSE[model][reach - 1],
                        kind,
                    )
                )
    lost = replace(examples[1], predicted=np.full((5, 2), NAN), nmse=NAN)
    return [*examples, lost, replace(examples[0], annotated=None, nmse=NAN, subject_id="s40")]


def full_pictures() -> list[Picture]:
    """A face with boxes around it, and the same in a colder room."""
    face, box = face_pixels(5), np.array([20.0, 20, 70, 90])
    moved = [np.array([20.0 + step, 20, 70, 90]) for step in (4, 12)]
    return [
        Picture("protocol1", "boxes moved", face, box, moved),
        Picture("protocol1", "as trained", face, box),
        Picture("protocol1", "Room, °C: 12.5", face - 9, box),
    ]


def full_card() -> DatasetCard:
    """A thermal dataset at two ranges with visible partners at the first."""
    rows = [("", "", name, 0, value, NAN, 960, "1") for name, value in COUNTS.items()]
    rows.append(("", "", "bytes_per_pair", 0, 76_900, 1_200, 240, "byte"))
    rows += [("", "", name, 0, value, NAN, 960, "1") for name, value in SHOWN.items()]
    rows += [
        ("", "", f"colour_{end}", 0, value, NAN, 960, "degree Celsius")
        for end, value in (("low", -2.0), ("high", 37.0))
    ]
    for modality, reach, size in (
        ("thermal", "1", 87.0),
        ("thermal", "2", 44.0),
        ("visible", "1", 87.0),
    ):
        subset = (modality, reach)
        degrees = "degree Celsius" if modality == "thermal" else "full scale"
        rows += [(*subset, name, 0, value, NAN, 240, "1") for name, value in COUNTS.items()]
        rows.append((*subset, "bytes_per_image", 0, 49_300, 900, 240, "byte"))
        rows.append((*subset, "interocular_distance", 0, size, 6.2, 240, "px"))
        rows.append((*subset, "roll", 0, -0.004, 2.4, 240, "degree"))
        for measure, value in MEASURED.items():
            rows.append((*subset, measure, 0, value, 0.05, 240, "IOD"))
        for k, share in enumerate((0.1, 0.6, 0.3)):
            rows.append((*subset, "roll_histogram", 2.0 * k - 3, share, NAN, 240, "degree"))
        for part in ("image", "box"):
            for k, name in enumerate(("mean", "p01", "p50", "p99")):
                rows.append((*subset, f"{part}_{name}", 0, 31.5 + k, 0.8, 200, degrees))
        rows += [(*subset, f"{end}_saturated", 0, 0.0004, 0, 200, "1") for end in ("low", "high")]
    columns = ["modality", "range", "statistic", "at", "value", "sd", "n", "unit"]
    noise = np.random.default_rng(3).integers(0, 255, (60, 90, 3)).astype(np.uint8)
    png = cv2.imencode(".png", noise)[1].tobytes()
    return DatasetCard(
        "faces",
        pd.DataFrame(rows, columns=columns).assign(dataset="faces"),
        pd.DataFrame([LIKENESS | {"verdict": verdict} for verdict in VERDICTS]),
        contact=png,
        marked=png,
    )


def full_study() -> Study:
    dataset = pd.DataFrame(
        [
            ("faces", 1, reach, condition, modality, 60, count)
            for reach in (1, 2, 3)
            for condition, count in (("baseline", 240), ("expression", 720))
            for modality in ("thermal", "visible")
            if modality == "thermal" or reach == 1
        ]
        + [("faces", 2, 1, "baseline", "thermal", 51, 1581)],
        columns=["dataset", "volume", "range", "condition", "modality", "subjects", "images"],
    )
    parameters = pd.DataFrame(
        [
            ("mtcnn", "O-Net", 387648.0, 387648.0),
            ("pbc", "PBC", 1016390.0, 1016390.0),
            ("dan", "DAN", 361772.0, 23022592.0),
            ("mean_shape", "none", 0.0, NAN),
        ],
        columns=["model", "detector", "configured", "paper"],
    )
    config: dict[str, Any] = {
        "results": "results",
        "datasets": {
            "faces": {"adapter": "simulator", "seed": 2019, "settings": {}},
            "cold": {"adapter": "simulator", "seed": 2019, "settings": {"ambient_mean": 12.5}},
            "blurred": {"adapter": "simulator", "seed": 2019, "settings": {"defocus": 0.4}},
        },
        "variants": {name: block for name, (block, _) in VARIANTS.items()},
        "protocols": {
            "protocol1": {
                "dataset": "faces",
                "paper": 1,
                "volumes": [1],
                "train_subjects": 30,
                "same_moment": ["exclude", "keep"],
                "reject": [*SHARES],
                **SIDES,
            },
            "protocol2": {
                "dataset": "faces",
                "paper": 2,
                "volumes": [1, 2],
                "train_subjects": 85,
                "same_moment": ["exclude", "keep"],
                **SIDES,
            },
            **{
                f"n{n}": {"dataset": "faces", "seed": 9, "train_subjects": n, **SIDES}
                for n in SIZES
            },
        },
        "models": {"dan": {"width": 0.125}, "pbc": {}, "mtcnn": {}, "mean_shape": {}},
        "matcher": {"mapping": "dpm", "classifier": "pls", "negatives": "published"},
        "ablation": ABLATION,
        "displacements": DISPLACEMENTS,
    }
    return Study(
        title="Landmark detectors on thermal faces, and what their error costs verification",
        config=config,
        setup=read_setup(config),
        summary=pd.concat([full_summary(), series_summary()], ignore_index=True),
        differences=full_differences(),
        spread=full_spread(),
        seeds=SEEDS,
        costs=full_costs(),
        curves=full_curves(),
        parameters=parameters,
        examples=full_examples(),
        dataset=dataset,
        cards=[full_card()],
        pictures=full_pictures(),
        boxes=[
            "faces: face boxes are derived from the annotated points, 2.3 x 2.87 interocular "
            "distances, with a seeded jitter that is the same for every model."
        ],
        commit="0123456789abcdef0123456789abcdef01234567",
        versions={"thermalign": "0.1.0", "Python": "3.11.9", "PyTorch": "2.13.0"},
    )


def configured(study: Study, config: dict[str, Any]) -> Study:
    """The study under another configuration."""
    return replace(study, config=config, setup=read_setup(config))


def visible_only_study() -> Study:
    """One range, no verification, no intervals, one fold, no training curves or pictures."""
    rows = Rows()
    for model, means in NMSE.items():
        for subset in (ALL, Subset(range="1")):
            rows.add(("photos", model, subset), "nmse", means[0], fold_sd=NAN, n_folds=1)
        for at in THRESHOLDS:
            rows.add(("photos", model, ALL), "ced", min(float(at) * 2, 1), at=float(at))
    config: dict[str, Any] = {
        "datasets": {"photos": {"adapter": "table"}},
        "protocols": {"photos": {"dataset": "photos", "probe": VISIBLE, "gallery": VISIBLE}},
    }
    return Study(
        title="Visible faces only",
        config=config,
        setup=read_setup(config),
        summary=rows.frame(),
        differences=empty(DIFFERENCES),
        spread=empty(SPREAD),
        seeds={},
        costs=empty(COSTS),
        curves=empty(CURVES),
        parameters=pd.DataFrame(columns=["model", "detector", "configured", "paper"]),
        examples=[],
        dataset=pd.DataFrame(
            [("photos", 1, 1, "baseline", "visible", 60, 60)],
            columns=["dataset", "volume", "range", "condition", "modality", "subjects", "images"],
        ),
        cards=[],
        pictures=[],
        boxes=["photos: one fixed box for the whole set."],
        commit="",
        versions={},
    )
