"""What the steps that measure one model on one fold share: what they read, and how they write."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from thermalign import tables
from thermalign.evaluation.draws import Draws
from thermalign.evaluation.measured import Measured, tabulate
from thermalign.evaluation.settings import Settings
from thermalign.records import with_roles
from thermalign.schemas.dataset import FOLDS, IMAGES
from thermalign.schemas.measures import METRICS, REPLICATES


@dataclass(frozen=True)
class Job:
    """One model on one fold of a protocol.

    Attributes
    ----------
    dataset : str
        The protocol's.
    protocol, model : str
    fold : int
    images : DataFrame of IMAGES, all of the dataset
    rows : DataFrame of IMAGES of the fold with their ``role``, without flipped copies
    """

    dataset: str
    protocol: str
    fold: int
    model: str
    images: pd.DataFrame
    rows: pd.DataFrame

    @classmethod
    def read(
        cls, images: Path, folds: Path, *, dataset: str, protocol: str, fold: int, model: str
    ) -> "Job":
        """Read IMAGES and FOLDS, each once."""
        known = tables.read(images, IMAGES)
        rows = with_roles(known, tables.read(folds, FOLDS))
        return cls(dataset, protocol, fold, model, known, rows)

    @property
    def key(self) -> dict[str, Any]:
        """The columns that PREDICTIONS, SCORES and the like have in common."""
        return {"protocol": self.protocol, "fold": self.fold, "model": self.model}

    @property
    def test(self) -> pd.DataFrame:
        """Rows of the fold's test images."""
        return self.rows[self.rows["role"] == "test"]

    def draws(self, settings: Settings, test: pd.DataFrame | None = None) -> Draws:
        """Return the bootstrap draws of the subjects of test images, by default all the fold's."""
        return Draws.of_fold(self.test if test is None else test, self.images, settings)

    def write(
        self,
        measured: Iterable[Measured],
        metadata: Mapping[str, str],
        *,
        metrics: Path,
        replicates: Path,
    ) -> None:
        """Write METRICS and their REPLICATES.

        Parameters
        ----------
        measured : Measured
        metadata : of :func:`thermalign.provenance.stamp`
        metrics, replicates : Path of the tables
        """
        made = tabulate(list(measured), {"dataset": self.dataset, **self.key})
        tables.write(metrics, made[0], METRICS, metadata)
        tables.write(replicates, made[1], REPLICATES, metadata)
