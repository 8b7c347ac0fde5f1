"""Scores that another matcher gave the comparisons of a study, as a file; ours as such files.

CSV with a header, or Parquet:

================  ===========================================================================
``probe``         the probe: its ``image_id`` or its path
``gallery``       the enrolled subject, whose enrolled images have one score together
``score``         higher is more alike; ``-inf`` against everybody where the probe failed
``same_moment``   the reading, ``exclude`` or ``keep``; without it the protocol's headline
================  ===========================================================================

Text without a header, of columns parted by blanks: three, as pyeer reads them (probe, gallery,
score); four, as Bob does (claimed identity, real identity, probe, score); five, as Bob does too
(claimed identity, template, real identity, probe, score). The reading is the headline's.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from thermalign.exchange.files import Sheet, first_of, read
from thermalign.exchange.images import known_rows
from thermalign.geometry import Floats, Integers
from thermalign.verification.trials import Trials

COLUMNS = ("probe", "gallery", "score")
READING, REAL = "same_moment", "real"
READINGS = ("exclude", "keep")

BY_BLANKS = {
    3: COLUMNS,
    4: ("gallery", REAL, "probe", "score"),
    5: ("gallery", "template", REAL, "probe", "score"),
}
"""Columns of text without a header, by their number."""

THRESHOLDS = "thresholds"
"""Metadata of SCORES that a Parquet file carries on."""


@dataclass(frozen=True)
class Scores:
    """M scores of a file.

    Attributes
    ----------
    sheet : Sheet
    probe, gallery : (M,) text, as the file names them
    score : (M,) float
    """

    sheet: Sheet
    probe: pd.Series
    gallery: pd.Series
    score: Floats

    @property
    def thresholds(self) -> dict[str, float]:
        """Scores by false match rate that the file says beside its rows, if any."""
        return dict(json.loads(self.sheet.metadata.get(THRESHOLDS, "{}")))


def read_scores(path: Path) -> Scores:
    """Read a file of scores.

    Raises
    ------
    ValueError
        In one line that names the file, the row and the cure: a column that is missing, a cell that
        is no number, a score that is NaN, missing or plus infinity, a reading that is none.
    """
    sheet = read(path, by_blanks=BY_BLANKS)
    sheet.need(COLUMNS, "a file of scores")
    score = sheet.numbers("score")
    wrong = np.isnan(score) | (score == np.inf)
    if wrong.any():
        row = int(np.argmax(wrong))
        more = f" (and {np.count_nonzero(wrong) - 1} rows more)" if wrong.sum() > 1 else ""
        raise ValueError(
            f"{sheet.where(row)}: score is {sheet.frame['score'].iloc[row]!s:.20}{more}; give a "
            "finite number, or -inf in every row of a probe that failed to be acquired"
        )
    if READING in sheet and (lost := ~sheet.names(READING).isin(READINGS)).any():
        row = int(np.argmax(lost))
        raise ValueError(
            f"{sheet.where(row)}: {READING} is {sheet.frame[READING].iloc[row]!r}; use exclude or "
            "keep, or delete the column: scores are then of the protocol's headline"
        )
    return Scores(sheet, sheet.names("probe"), sheet.names("gallery"), score)


def scores_for(
    scores: Scores, trials: Trials, images: pd.DataFrame, *, dataset: str, whose: str
) -> pd.DataFrame:
    """Return the SCORES of a fold, without protocol, fold and model, in the order of the study.

    Comparisons of the dataset that the fold does not make may stand beside them. A reading that is
    not the headline is left out where the file has no score under it.

    Parameters
    ----------
    scores : Scores
    trials : Trials
    images : DataFrame of IMAGES, all of the dataset
    dataset, whose : str
        Name of the dataset, and whose comparisons they are, for messages.

    Raises
    ------
    ValueError
        In one line: a probe or a person that the dataset does not have, a person that a probe does
        not show, two scores of one comparison, comparisons without a score, a probe that failed
        against some people alone.
    """
    sheet = scores.sheet
    image = known_rows(scores.probe, images, sheet, dataset)
    people = pd.Index(np.sort(images["subject_id"].unique()))
    person = people.get_indexer(pd.Index(scores.gallery))
    if (person < 0).any():
        row = int(np.argmax(person < 0))
        raise ValueError(
            f"{sheet.where(row)}: gallery {scores.gallery[row]!r} is no person of {dataset}; name "
            "the enrolled subject_id, and fuse the scores of several images of one first"
        )
    _check_real(sheet, images["subject_id"].to_numpy(object)[image])
    tables: list[pd.DataFrame] = []
    for reading, met in trials.by_reading():
        rows = _rows_of(sheet, reading, trials.readings[0])
        if tables and not len(rows):
            continue
        values = _grid(scores, rows, image=image, person=person, people=people, images=images)
        wanted = _wanted(trials, values, images, people)
        _check_whole(sheet, wanted, trials, met, f"{whose} under {reading}")
        tables.append(trials.table(reading, met, wanted))
    return pd.concat(tables, ignore_index=True)


def told(table: pd.DataFrame) -> list[str]:
    """Return lines for the log: that genuine scores lie below impostor ones, if they do."""
    acquired = table[np.isfinite(table["score"])]
    means = acquired.groupby("genuine")["score"].mean()
    if len(means) == 2 and means[True] < means[False]:
        return [
            f"genuine scores ({means[True]:.4g} on average) lie below impostor ones "
            f"({means[False]:.4g}): if they are distances, change their sign"
        ]
    return []


def _check_real(sheet: Sheet, shown: np.ndarray) -> None:
    """Refuse a row that says that a probe shows somebody else than the study knows."""
    if REAL not in sheet:
        return
    real = sheet.names(REAL).to_numpy(object)
    if (real != shown).any():
        row = int(np.argmax(real != shown))
        raise ValueError(
            f"{sheet.where(row)}: the real identity is {real[row]!r}, but the study's probe shows "
            f"{shown[row]!r}; correct it"
        )


def _rows_of(sheet: Sheet, reading: str, headline: str) -> Integers:
    """Return which rows of a file are of a reading, (K,) int."""
    if READING in sheet:
        return np.flatnonzero((sheet.names(READING) == reading).to_numpy())
    return np.arange(len(sheet) if reading == headline else 0)


def _grid(
    scores: Scores,
    rows: Integers,
    *,
    image: Integers,
    person: Integers,
    people: pd.Index,
    images: pd.DataFrame,
) -> pd.Series:
    """Return the scores of some rows by comparison: number of image times people, plus person."""
    code = image[rows] * len(people) + person[rows]
    if (again := pd.Series(code).duplicated().to_numpy()).any():
        second = int(np.argmax(again))
        first = rows[int(np.argmax(code == code[second]))]
        its, whom = images["image_id"].iloc[image[rows[second]]], people[person[rows[second]]]
        raise ValueError(
            f"{scores.sheet.where(int(rows[second]))}: probe {its} against {whom} stands in row "
            f"{scores.sheet.line(int(first))} already; keep one"
        )
    return pd.Series(scores.score[rows], index=code)


def _wanted(trials: Trials, values: pd.Series, images: pd.DataFrame, people: pd.Index) -> Floats:
    """Return the scores of every probe and enrolled subject (P, S); NaN where there is none."""
    probe = pd.Index(images["image_id"]).get_indexer(trials.probes["image_id"])
    subject = people.get_indexer(pd.Index(trials.subjects))
    code = probe[:, None] * len(people) + subject
    return values.reindex(code.ravel()).to_numpy(np.float64).reshape(code.shape)


def _check_whole(sheet: Sheet, values: Floats, trials: Trials, met: Integers, whose: str) -> None:
    """Refuse comparisons without a score, and probes that failed against some people alone."""
    ids, asked = trials.probes["image_id"].to_numpy(object), met >= 0
    lost = np.isnan(values) & asked[:, None]
    if lost.any():
        pairs = [f"{ids[p]} against {trials.subjects[s]}" for p, s in np.argwhere(lost)[:3]]
        count = int(np.count_nonzero(lost))
        raise ValueError(
            f"{sheet.path}: no score for {count} of "
            f"{np.count_nonzero(asked) * len(trials.subjects)} comparisons of {whose}: "
            f"{first_of(pairs, count)}; add them, with -inf where the probe failed to be acquired"
        )
    failed = np.isneginf(values)
    partly = failed.any(axis=1) & ~failed.all(axis=1) & asked
    if partly.any():
        probe = ids[int(np.argmax(partly))]
        raise ValueError(
            f"{sheet.path}: probe {probe} has -inf against some people alone ({whose}); a probe "
            "that failed to be acquired has it against everybody, any other a finite score"
        )
