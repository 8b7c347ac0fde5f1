"""Train the matcher of a fold and enrol its gallery; every landmark model shares it."""

from pathlib import Path
from typing import Any

from thermalign import tables
from thermalign.evaluation import settings as evaluated
from thermalign.evaluation.thresholds import training_thresholds
from thermalign.folds import check_disjoint
from thermalign.provenance import stamp
from thermalign.records import read_fold
from thermalign.schemas.dataset import FOLDS, IMAGES
from thermalign.settings import parse
from thermalign.verification.descriptors import Descriptors
from thermalign.verification.matcher import Settings, enrol, fit_mapping
from thermalign.verification.matcher_state import save_matcher
from thermalign.verification.stored import AlignedFaces


def run(
    *,
    images: Path,
    folds: Path,
    faces: Path,
    networks: list[Path],
    fold: int,
    settings: dict[str, Any],
    evaluation: dict[str, Any],
    seed: int,
    matcher: Path,
    code: str,
) -> None:
    """Fit the mapping on training subjects, then one classifier per test subject and gallery.

    Parameters
    ----------
    images, folds : Path of the tables
    faces : Path of FACES aligned by annotated points
    networks : states of networks; not used here: the settings name those that are applied
    fold : wildcard
    settings : the ``matcher:`` block with the protocol's ``gallery``, ``probe`` and ``same_moment``
    evaluation : ``tar_at_far``, the false match rates that thresholds are set for
    seed : int
    matcher : Path of the safetensors file: see :mod:`thermalign.verification.matcher_state`
        Its metadata has ``thresholds``: see :mod:`thermalign.evaluation.thresholds`.
    code : str
    """
    check_disjoint(tables.read(folds, FOLDS), tables.read(images, IMAGES))
    asked, rows = Settings.of(settings), read_fold(images, folds)
    described = Descriptors.of_aligned(AlignedFaces.read(faces), asked.descriptors)
    mapping = fit_mapping(rows, described, asked.mapping, seed=seed)
    enrolled = enrol(rows, described, mapping, asked, seed=[seed, fold])
    rates = parse(evaluated.Settings, evaluation, "evaluation").tar_at_far
    thresholds = training_thresholds(rows, described, asked, rates=rates, seed=[seed, fold])
    metadata = stamp(code, {**settings, "evaluation": evaluation})
    save_matcher(matcher, enrolled, {**metadata, "thresholds": thresholds})
