"""Carry the variants of the test condition to verification: what moved boxes cost the matcher."""

from pathlib import Path
from typing import Any

import pandas as pd
from torch import Tensor

from thermalign import tables
from thermalign.evaluation.draws import Draws, comparisons_of
from thermalign.evaluation.measured import Measured, write_measured
from thermalign.evaluation.rates import eers_by_range
from thermalign.evaluation.variants import read_variants
from thermalign.provenance import stamp
from thermalign.records import points_of, read_fold
from thermalign.schemas.dataset import IMAGES
from thermalign.schemas.predictions import STRESS
from thermalign.verification.aligned import align_images, alignable
from thermalign.verification.descriptors import describe
from thermalign.verification.enrolment import probes_of
from thermalign.verification.matcher import Matcher, read_matcher, score_probes
from thermalign.verification.readings import headline_of


def run(
    *,
    images: list[Path],
    folds: Path,
    predictions: Path,
    matcher: Path,
    protocol: str,
    fold: int,
    model: str,
    settings: dict[str, Any],
    alignment: dict[str, Any],
    variants: dict[str, Any],
    evaluation: dict[str, Any],
    metrics: Path,
    replicates: Path,
    code: str,
) -> None:
    """Write the EER of a model under every variant as METRICS, all ranges together and each.

    A probe without points, or with points that cannot be aligned, matches nobody. Under the
    protocol's headline reading of ``same_moment`` alone.

    Parameters
    ----------
    images : Paths of the tables
        The protocol's dataset first, then the datasets of variants, in folders of their names.
    folds : Path
    predictions : Path of STRESS
    matcher : Path of what ``train_matcher`` wrote
    protocol, fold, model : wildcards
    settings : as in :func:`thermalign.steps.train_matcher.run`
    alignment, variants, evaluation : the blocks of the configuration
    metrics, replicates : Path of METRICS, REPLICATES
    code : str
    """
    enrolled = read_matcher(matcher)
    recordings = {
        path.parent.name if number else "": tables.read(path, IMAGES).set_index("image_id")
        for number, path in enumerate(images)
    }
    rows = read_fold(images[0], folds)
    probes = probes_of(rows, settings, enrolled.enrolment.images)
    draws = Draws.of_fold(rows[rows["role"] == "test"], tables.read(images[0], IMAGES), evaluation)
    found = dict(tuple(tables.read(predictions, STRESS).groupby("variant")))
    measured: list[Measured] = []
    for name, variant in read_variants(variants).items():
        shown = recordings[variant.dataset].loc[probes["image_id"]].reset_index()
        scores = _score(shown, found[name], enrolled, settings, alignment)
        rates = eers_by_range(f"variant={name}", comparisons_of(scores, probes), draws)
        measured += [rate for _, rate in rates]
    key = {"protocol": protocol, "fold": fold, "model": model}
    described = {**settings, "alignment": alignment, "variants": variants}
    metadata = stamp(code, {**described, "evaluation": evaluation})
    write_measured(measured, key, metadata, metrics=metrics, replicates=replicates)


def _score(
    shown: pd.DataFrame,
    found: pd.DataFrame,
    matcher: Matcher,
    settings: dict[str, Any],
    alignment: dict[str, Any],
) -> pd.DataFrame:
    """Return the SCORES of probes as one recording shows them, aligned by their predictions."""
    points = points_of(found, list(shown["image_id"]))
    usable = alignable(points, alignment)

    def described() -> Tensor:
        return describe(align_images(shown[usable], points[usable], alignment), settings)

    return score_probes(matcher, shown, usable, described, readings=[headline_of(settings)])
