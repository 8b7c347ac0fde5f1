"""Who is compared with whom on a fold, whatever compares them: probes, galleries, readings."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from thermalign.geometry import Floats, Integers
from thermalign.verification.enrolment import (
    NONE,
    Enrolment,
    Selection,
    gallery_of,
    probes_of,
    selected,
)


@dataclass(frozen=True)
class Trials:
    """The comparisons of a fold: every probe with every enrolled subject, under every reading.

    Attributes
    ----------
    probes : DataFrame of IMAGES, P rows
    subjects : tuple of str
        Enrolled, S of them.
    enrolment : Enrolment
    readings : tuple of str
        Of ``same_moment``, the headline first.
    """

    probes: pd.DataFrame
    subjects: tuple[str, ...]
    enrolment: Enrolment
    readings: tuple[str, ...]

    @classmethod
    def of(
        cls,
        rows: pd.DataFrame,
        seen: Collection[str],
        gallery: Selection,
        probe: Selection,
        readings: Sequence[str],
    ) -> "Trials":
        """Return the comparisons that a protocol asks for.

        Parameters
        ----------
        rows : DataFrame
            The fold's images with ``role``.
        seen : collection of image_id
            Those that can be enrolled: aligned by their annotated points.
        gallery, probe : Selection
        readings : of ``same_moment``, the headline first

        Raises
        ------
        ValueError
            If there is no gallery or no probe.
        """
        enrolled = enrolled_of(rows, rows[rows["image_id"].isin(seen)], gallery)
        probes = probes_of(rows, probe, list(enrolled["image_id"]))
        enrolment = Enrolment.of(enrolled, probes, readings)
        subjects = tuple(sorted(set(enrolled["subject_id"])))
        return cls(probes, subjects, enrolment, tuple(readings))

    def by_reading(self) -> Iterator[tuple[str, Integers]]:
        """Yield each reading with the gallery that each probe meets, (P,) int; see ``Enrolment``.

        Where no probe's moment is enrolled all readings are the same: the first alone is yielded.
        """
        for reading in self.readings if self.enrolment.partial else self.readings[:1]:
            yield reading, self.enrolment.met_by(self.probes, reading)

    def table(self, reading: str, met: Integers, values: Floats) -> pd.DataFrame:
        """Return the SCORES of a reading, without protocol, fold and model.

        Parameters
        ----------
        reading : str
        met : (P,) int
            The gallery that each probe meets; one that may meet none is no probe.
        values : (P, S) float
        """
        probes, n = self.probes[met != NONE], len(self.subjects)
        gallery = np.tile(np.asarray(self.subjects, object), len(probes))
        own = np.repeat(probes["subject_id"].to_numpy(object), n)
        return pd.DataFrame(
            {
                "probe_id": np.repeat(probes["image_id"].to_numpy(object), n),
                "gallery_id": gallery,
                "genuine": gallery == own,
                "score": values[met != NONE].ravel(),
                "same_moment": reading,
            }
        )


def enrolled_of(rows: pd.DataFrame, seen: pd.DataFrame, gallery: Selection) -> pd.DataFrame:
    """Return the enrolled images, of those that have an aligned face.

    Parameters
    ----------
    rows, seen : DataFrame of IMAGES with ``role``, all of the fold, and those with an aligned face
    gallery : Selection

    Raises
    ------
    ValueError
        If there is none.
    """
    if not selected(rows, gallery, role="gallery")["image_id"].isin(seen["image_id"]).any():
        raise ValueError(
            f"gallery: {{{gallery}}} selects no annotated image of a test subject; "
            "change conditions: or modality: of the protocol's gallery, or annotate such images"
        )
    return gallery_of(seen, gallery)
