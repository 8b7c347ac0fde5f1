"""Cosine similarity to the enrolled images of a subject: the matcher that learns nothing."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from thermalign.geometry import Floats, Integers
from thermalign.verification.contract import LEFT_OUT, Gallery


@dataclass(frozen=True)
class Settings:
    """Nothing can be set."""


class Model(NamedTuple):
    """Templates of S enrolled subjects.

    Attributes
    ----------
    templates : (S, D) float64
    """

    templates: Floats


def enrol(gallery: Gallery, settings: Settings) -> list[Model]:
    """Return the :func:`templates` of every labelling of a gallery; nobody else is looked at."""
    models = []
    for labels in gallery.labellings:
        taking = labels != LEFT_OUT
        models.append(Model(templates(gallery.vectors[taking], labels[taking])))
    return models


def templates(features: Floats, labels: Integers) -> Floats:
    """Return one template per subject: the mean of its images' vectors at length 1.

    A probe's product with it is the mean of its cosines with the subject's images.

    Parameters
    ----------
    features : (n, D) float
    labels : (n,) int
        0..S-1, each at least once.

    Returns
    -------
    (S, D) float64

    Raises
    ------
    ValueError
        If a subject has no image.

    Source
    ------
    Sarfraz and Stiefelhagen, BMVC 2015, section 3: vectors at length 1, compared by their cosine.
    ASSUME: the mean over a subject's images; they do not say how several are joined.
    """
    count = np.bincount(labels)
    if not count.all():
        raise ValueError(f"labels must be 0..S-1 with no gap, got {np.unique(labels)}")
    total = np.zeros((len(count), features.shape[1]))
    np.add.at(total, labels, _unit(features))
    return np.asarray(total / count[:, None])


def score(model: Model, probes: Floats) -> Floats:
    """Return the mean cosine of probes (m, D) with the images of every subject, (m, S)."""
    return np.asarray(_unit(probes) @ model.templates.T)


def _unit(vectors: Floats) -> Floats:
    """Scale rows to length 1; a face without gradients stays zero, so that its cosine is 0."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1))
