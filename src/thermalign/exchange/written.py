"""SCORES as the files that other programs read."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from thermalign.exchange.scores import BY_BLANKS, COLUMNS, READING

CSV, BOB4, BOB5, PYEER = "csv", "bob4", "bob5", "pyeer"
FORMATS = (CSV, BOB4, BOB5, PYEER)

Texts = dict[str, pd.DataFrame]
"""What goes behind the stem of a file's name, and the columns to write there."""


def as_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Return SCORES with the columns that :func:`thermalign.exchange.scores.read_scores` reads."""
    renamed = scores.rename(columns={"probe_id": "probe", "gallery_id": "gallery"})
    return renamed[[*COLUMNS, READING]]


def by_blanks(scores: pd.DataFrame, form: str, subjects: Mapping[str, str]) -> Texts:
    """Return SCORES of one reading as columns parted by blanks.

    Bob's have one file: claimed identity, (template,) real identity, probe, score; a person's
    template is called like the person. pyeer's have two, of genuine and of impostor comparisons:
    probe, gallery, score, of which it reads the last column.

    Parameters
    ----------
    scores : DataFrame of SCORES of one reading
    form : of ``FORMATS``, but CSV
    subjects : person that a probe shows, by its image_id

    Raises
    ------
    ValueError
        If a name holds a blank, or is empty, which such files cannot say.
    """
    probes = scores["probe_id"].to_numpy(object)
    table = pd.DataFrame(
        {
            "probe": probes,
            "gallery": scores["gallery_id"].to_numpy(object),
            "template": scores["gallery_id"].to_numpy(object),
            "real": [subjects[probe] for probe in probes],
            "score": scores["score"].to_numpy(),
        }
    )
    for column in ("probe", "gallery", "real"):
        odd = [name for name in table[column].unique() if len(name.split()) != 1]
        if odd:
            raise ValueError(
                f"{column} {odd[0]!r} holds a blank, which parts columns in files of {form}; "
                f"write {CSV}"
            )
    if form == PYEER:
        genuine = scores["genuine"].to_numpy()
        its = table[list(COLUMNS)]
        return {"_genuine": its[genuine], "_impostor": its[~genuine]}
    return {"": table[list(BY_BLANKS[4 if form == BOB4 else 5])]}


def write_by_blanks(path: Path, table: pd.DataFrame) -> None:
    """Write columns parted by blanks, without a header; every number is read back as it was."""
    table.to_csv(path, sep=" ", header=False, index=False)
