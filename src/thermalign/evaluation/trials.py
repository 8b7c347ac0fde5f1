"""What every model did on every fold, for comparisons of two models on what both have."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from thermalign.evaluation.compared import Compared
from thermalign.evaluation.draws import ANNOTATED, Draws, comparisons_of, errors_of
from thermalign.evaluation.located import nmse_of
from thermalign.evaluation.measured import Measured
from thermalign.geometry import Floats
from thermalign.metrics import identification, verification

Place = tuple[str, str, float]
"""Subset, metric and abscissa of a figure, as in METRICS."""


Images = frozenset[str]


NMSE, EER, ACCEPTED, RANK1 = "nmse", "eer", "tar_at_far", "rank1"


COMPARED = (NMSE, EER, ACCEPTED, RANK1)
"""Metrics whose paired differences between models are told."""


READING, LANDMARK = "same_moment", "landmark"
"""Parts of a subset that choose scores and errors, not images."""


def parts_of(subset: str) -> dict[str, str]:
    """Split the name of a subset, or of the mark of a reading, into its parts; none of ``all``."""
    return dict(part.split("=", 1) for part in subset.split("&") if "=" in part)


@dataclass(frozen=True)
class Trial:
    """One model on one fold.

    Attributes
    ----------
    predictions : DataFrame of PREDICTIONS
    scores : DataFrame of SCORES by reading of ``same_moment``; "" is the headline
    figures : Measured of COMPARED metrics by place, as ``measure`` wrote them
    """

    predictions: pd.DataFrame
    scores: Mapping[str, pd.DataFrame]
    figures: Mapping[Place, Measured]
    _images: dict[tuple[bool, str], Images] = field(default_factory=dict)

    def has(self, place: Place) -> bool:
        """Say whether ``measure`` wrote a figure with replicates."""
        made = self.figures.get(place)
        return made is not None and len(made.replicates) > 0

    def images(self, place: Place) -> Images:
        """Return the images a figure may rest on: faces found, or probes that were asked about."""
        parts, errors = parts_of(place[0]), place[1] == NMSE
        key = errors, parts.get(LANDMARK if errors else READING, "")
        if key not in self._images:
            self._images[key] = self._found(key[1]) if errors else self._asked(key[1])
        return self._images[key]

    def _found(self, landmark: str) -> Images:
        """Return the images with all points, or with one landmark's; none of annotated points."""
        if (self.predictions["model"] == ANNOTATED).any():
            return frozenset()
        table = self.predictions
        rows = table[table["landmark"] == landmark] if landmark else table
        ids = rows["image_id"].to_numpy(object)
        lost = rows[["x", "y"]].isna().any(axis=1).to_numpy()
        return frozenset(ids) - frozenset(ids[lost])

    def _asked(self, reading: str) -> Images:
        rows = self.scores.get(reading)
        return frozenset() if rows is None else frozenset(rows["probe_id"].unique())


@dataclass(frozen=True)
class Fold:
    """Every model on one fold of a protocol.

    Attributes
    ----------
    known : DataFrame of IMAGES, the fold's test images
    annotations : DataFrame of ANNOTATIONS of these images
    draws : Draws
    models : Trial by model
    """

    known: pd.DataFrame
    annotations: pd.DataFrame
    draws: Draws
    models: Mapping[str, Trial]
    _members: dict[str, Images] = field(default_factory=dict)
    _rates: dict[tuple[int, str, Images], dict[tuple[str, float], Measured]] = field(
        default_factory=dict
    )

    def members(self, subset: str, *, annotated: bool) -> Images:
        """Return the test images of a subset, or only those of them that are annotated."""
        name = f"{annotated} {subset}"
        if name not in self._members:
            chosen = np.ones(len(self.known), bool)
            for column, value in parts_of(subset).items():
                if column not in (READING, LANDMARK):
                    chosen &= (self.known[column].astype(str) == value).to_numpy()
            images = frozenset(self.known.loc[chosen, "image_id"])
            truth = frozenset(self.annotations["image_id"].unique())
            self._members[name] = images & truth if annotated else images
        return self._members[name]

    def common(self, a: str, b: str, place: Place) -> tuple[Measured, Measured] | None:
        """Return a figure of two models on the images that both have; None without any.

        Errors: annotated images in which both found the face. Rates: probes that both were asked
        about, failures to find the face included. Where those are all that a model has, its figure
        is the one that ``measure`` wrote.
        """
        if a not in self.models or b not in self.models:
            return None
        its = self.members(place[0], annotated=place[1] == NMSE)
        own = [self.models[model].images(place) & its for model in (a, b)]
        both = own[0] & own[1]
        if not both:
            return None
        first, second = (
            self._of(self.models[model], place, both, whole=mine == both)
            for model, mine in zip((a, b), own, strict=True)
        )
        return (first, second) if first and second else None

    def on_probes(self, model: str, subset: str) -> Measured | None:
        """Return the NMSE of a model on annotated probes that it found; None without any."""
        trial, place = self.models[model], (subset, NMSE, 0.0)
        found = trial.images(place) & self.members(subset, annotated=True)
        probes = found & trial.images((subset, EER, 0.0))
        return self._of(trial, place, probes, whole=probes == found) if probes else None

    def _of(self, model: Trial, place: Place, images: Images, *, whole: bool) -> Measured | None:
        made = model.figures.get(place) if whole else self._again(model, place, images)
        if made and place[1] == NMSE:
            return replace(made, n=len(images))  # not those in which no face was found
        return made

    def _again(self, model: Trial, place: Place, images: Images) -> Measured | None:
        """Measure a figure once more on some of the images; None without comparisons."""
        subset, metric, at = place
        parts = parts_of(subset)
        if metric == NMSE:
            found = model.predictions[model.predictions["image_id"].isin(images)]
            rows = errors_of(found, self.annotations, self.known)
            rows = rows.assign(error=rows[parts.get(LANDMARK, "error")])
            return nmse_of(subset, NMSE, rows, self.draws)
        key = id(model), subset, images
        if key not in self._rates:  # one pass for all rates of the same comparisons
            scores = model.scores[parts.get(READING, "")]
            rows = comparisons_of(scores[scores["probe_id"].isin(images)], self.known)
            fars = sorted({far for _, of, far in model.figures if of == ACCEPTED})
            made = rates_of(subset, Compared.of(rows, self.draws), np.array(fars))
            self._rates[key] = {(rate.metric, rate.at): rate for rate in made}
        return self._rates[key].get((metric, at))


def rates_of(subset: str, part: Compared, fars: Floats) -> Iterator[Measured]:
    """Yield the rates that models are compared in; rank 1 alone without comparisons of a class.

    ``rank1``: a stranger to all who are enrolled is a miss. ``tar_at_far``: NaN and without
    replicates where too few people carry it.
    """
    probes = part.by_probe()
    hits = probes.share(identification.own_ranks(probes.scores, probes.genuine) <= 1)
    people = min(probes.people, len(np.unique(part.gallery)))
    value = identification.rank1(probes.scores, probes.genuine)
    yield Measured(subset, RANK1, value, len(probes), hits, people)
    if not part.measurable:
        return
    errors, accepted = part.rates(fars)
    value = verification.eer(part.score, part.genuine)
    yield Measured(subset, EER, value, len(part), errors, part.subjects)
    for k, far in enumerate(fars):
        value = verification.tar_at_far(part.score, part.genuine, far, pairs=part.pairs)
        drawn = accepted[:, k] if np.isfinite(value) else np.empty(0)
        yield Measured(subset, ACCEPTED, value, len(part), drawn, part.subjects, float(far))
