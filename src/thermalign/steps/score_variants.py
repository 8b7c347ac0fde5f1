"""Carry the variants of the test condition to verification: what moved boxes cost the matcher."""

from pathlib import Path
from typing import Any

from thermalign import tables
from thermalign.evaluation import settings as evaluated
from thermalign.evaluation.carried import measure_carried
from thermalign.evaluation.variants import named, read_variants
from thermalign.provenance import stamp
from thermalign.schemas.dataset import IMAGES
from thermalign.schemas.predictions import STRESS
from thermalign.settings import parse
from thermalign.steps.job import Job
from thermalign.verification import alignment as aligned
from thermalign.verification.matcher import Settings
from thermalign.verification.matcher_state import read_matcher


def run(
    *,
    images: list[Path],
    folds: Path,
    predictions: Path,
    matcher: Path,
    dataset: str,
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

    See :func:`thermalign.evaluation.carried.measure_carried`.

    Parameters
    ----------
    images : Paths of the tables
        The protocol's dataset first, then those that variants name, by name.
    folds : Path
    predictions : Path of STRESS
    matcher : Path of what ``train_matcher`` wrote
    dataset : the protocol's
    protocol, fold, model : wildcards
    settings : as in :func:`thermalign.steps.train_matcher.run`
    alignment, variants, evaluation : the blocks of the configuration
    metrics, replicates : Path of METRICS, REPLICATES
    code : str
    """
    job = Job.read(images[0], folds, dataset=dataset, protocol=protocol, fold=fold, model=model)
    asked = read_variants(variants)
    others = zip(named(asked, "dataset"), images[1:], strict=True)
    recorded = {name: tables.read(path, IMAGES) for name, path in others}
    recorded = {name: table.set_index("image_id") for name, table in recorded.items()}
    own = job.images.set_index("image_id")
    predicted = tables.read(predictions, STRESS).groupby("variant")
    measured = measure_carried(
        job.rows,
        {name: recorded.get(variant.dataset, own) for name, variant in asked.items()},
        {name: predicted.get_group(name) for name in asked},
        read_matcher(matcher),
        draws=job.draws(parse(evaluated.Settings, evaluation, "evaluation")),
        settings=Settings.of(settings),
        aligned=parse(aligned.Settings, alignment, "alignment"),
    )
    described = {**settings, "alignment": alignment, "variants": variants}
    metadata = stamp(code, {**described, "evaluation": evaluation})
    job.write(measured, metadata, metrics=metrics, replicates=replicates)
