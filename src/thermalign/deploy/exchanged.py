"""A study's points, scores and comparisons as files for other programs, and their files looked at.

What those files are stands in :mod:`thermalign.exchange`.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from thermalign import tables
from thermalign.config.imported import POINTS, SCORES, file_of, roles_of
from thermalign.deploy.outputs import check_output
from thermalign.exchange.points import KEPT, as_file, points_for, read_points
from thermalign.exchange.scores import READING, THRESHOLDS, read_scores, scores_for, told
from thermalign.exchange.written import CSV, FORMATS, as_table, by_blanks, write_by_blanks
from thermalign.records import with_roles
from thermalign.schemas.dataset import FOLDS, IMAGES
from thermalign.schemas.matching import FACES
from thermalign.schemas.matching import SCORES as SCORED
from thermalign.schemas.predictions import PREDICTIONS
from thermalign.settings import parse
from thermalign.tables import replace_file
from thermalign.verification.enrolment import NONE, Selection
from thermalign.verification.trials import Trials

Study = Mapping[str, Any]

TABLE = "a table of the study"


def export_points(predictions: Path, output: Path) -> int:
    """Write PREDICTIONS as a file of points: CSV, or Parquet, which keeps their metadata.

    Returns
    -------
    int
        Number of images.

    Raises
    ------
    ValueError
        If the table is missing or empty, or ``output`` would replace what this command has not
        written.
    """
    table = as_file(tables.read(predictions, PREDICTIONS))
    if table.empty:
        raise ValueError(f"{predictions}: is of a row of scores, which has no points; name another")
    metadata = tables.read_metadata(predictions)
    kept = {name: metadata[name] for name in KEPT if name in metadata}
    _write({output: table}, kept, source=predictions)
    return len(table)


def export_scores(
    scores: Path, images: Path, output: Path, *, form: str, reading: str
) -> dict[Path, int]:
    """Write SCORES as a file that other programs read.

    Parameters
    ----------
    scores, images : Path of the tables
    output : Path
        ``.csv`` or ``.parquet``, which keeps the thresholds; of a form that is parted by blanks any
        name. pyeer's are two files: ``_genuine`` and ``_impostor`` stand before the suffix.
    form : of :data:`thermalign.exchange.written.FORMATS`
    reading : of ``same_moment``
        Empty: all readings, or of a form that cannot say them the headline.

    Returns
    -------
    dict of Path to int
        Files that were written, and how many comparisons stand in each.

    Raises
    ------
    ValueError
        As :func:`export_points`; if there is no such form or reading, or the form cannot say a
        name.
    """
    if form not in FORMATS:
        raise ValueError(f"no format {form!r}; use one of {', '.join(FORMATS)}")
    table = tables.read(scores, SCORED)
    known = list(dict.fromkeys(table[READING]))
    if reading and reading not in known:
        raise ValueError(f"{scores}: no reading {reading!r}; there are {', '.join(known)}")
    if reading or form != CSV:
        table = table[table[READING] == (reading or known[0])]
    if form == CSV:
        metadata = tables.read_metadata(scores)
        kept = {THRESHOLDS: metadata[THRESHOLDS]} if THRESHOLDS in metadata else {}
        _write({output: as_table(table)}, kept, source=scores)
        return {output: len(table)}
    known_images = tables.read(images, IMAGES)
    subjects = dict(zip(known_images["image_id"], known_images["subject_id"], strict=True))
    files = {
        output.with_name(f"{output.stem}{suffix}{output.suffix}"): rows
        for suffix, rows in by_blanks(table, form, subjects).items()
    }
    inputs = {TABLE: [scores, images]}
    targets = {path: check_output(path, inputs, ours=lambda path: False) for path in files}
    for path, rows in files.items():
        replace_file(targets[path], lambda path, rows=rows: write_by_blanks(path, rows))
    return {path: len(rows) for path, rows in files.items()}


def export_trials(results: Path, study: Study, protocol: str, fold: int, folder: Path) -> int:
    """Write who is compared with whom: ``probes.csv`` and ``gallery.csv``.

    A probe ``meets`` a gallery, a number, under each reading; ``gallery.csv`` has the enrolled
    images of every person in every gallery.

    Returns
    -------
    int
        Number of scores that a matcher has to give.

    Raises
    ------
    ValueError
        As :func:`export_points`, and if the protocol or the fold is none of the study's.
    """
    trials, known = trials_of(results, study, protocol, fold)
    each = trials.probes[["image_id", "path"]].rename(columns={"image_id": "probe"})
    under = [each.assign(same_moment=reading, meets=met) for reading, met in trials.by_reading()]
    probes = pd.concat(under, ignore_index=True)
    probes = probes[probes["meets"] != NONE]
    path_of = dict(zip(known["image_id"], known["path"], strict=True))
    rows = trials.enrolment.rows.rename(columns={"subject_id": "gallery"})
    rows["path"] = rows["image_id"].map(path_of)
    met = sorted(set(probes["meets"].tolist()))
    gallery = pd.concat([rows[trials.enrolment.holds(k)].assign(meets=k) for k in met])
    files = {
        folder / "probes.csv": probes[[READING, "probe", "path", "meets"]],
        folder / "gallery.csv": gallery[["meets", "gallery", "image_id", "path"]],
    }
    _write(files, {}, source=results)
    return len(probes) * len(trials.subjects)


def check_file(results: Path, study: Study, block: str, pattern: str) -> Iterator[str]:
    """Look at a file of points or scores as the study will read it; yield what was seen.

    Parameters
    ----------
    results : Path
    study : checked configuration
    block : ``models`` for points, ``matchers`` for scores
    pattern : as ``from:`` names it

    Raises
    ------
    ValueError
        In one line, whatever is wrong with the file; or that no fold of the study can be looked at
        yet.
    """
    seen = 0
    for protocol, its in study["protocols"].items():
        for fold in range(its["folds"]):
            place = results / protocol / f"fold{fold}"
            needed = ["folds.parquet", *(["annotated/faces.parquet"] if block == SCORES else [])]
            if not all((place / name).is_file() for name in needed):
                yield f"{protocol}, fold {fold}: not looked at, since the study has not made it yet"
                continue
            path = Path(file_of(pattern, study, protocol, fold))
            look = _look_at_points if block == POINTS else _look_at_scores
            yield from look(path, results, study, protocol, fold)
            seen += 1
    if not seen:
        raise ValueError(
            f"{results}: no fold of the study is there to compare {pattern} with; run the study "
            "first, or as far as its folds"
        )


def trials_of(results: Path, study: Study, protocol: str, fold: int) -> tuple[Trials, pd.DataFrame]:
    """Return the comparisons of a fold, and IMAGES of its dataset.

    Raises
    ------
    ValueError
        If the protocol or the fold is none of the study's, or a table is missing.
    """
    known, rows = _fold_of(results, study, protocol, fold)
    faces = results / protocol / f"fold{fold}" / "annotated" / "faces.parquet"
    roles = roles_of(study, protocol)
    gallery, probe = (parse(Selection, roles[key], key) for key in ("gallery", "probe"))
    seen = set(tables.read(faces, FACES, only=["image_id"])["image_id"])
    return Trials.of(rows, seen, gallery, probe, roles["same_moment"]), known


def _fold_of(
    results: Path, study: Study, protocol: str, fold: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return IMAGES of a protocol's dataset, and those of a fold with their role."""
    if protocol not in study["protocols"]:
        raise ValueError(f"no protocol {protocol!r}; use one of {list(study['protocols'])}")
    if fold >= (folds := study["protocols"][protocol]["folds"]):
        raise ValueError(f"no fold {fold} of {protocol}; it has {folds}, counted from 0")
    dataset = study["protocols"][protocol]["dataset"]
    known = tables.read(results / "data" / dataset / "images.parquet", IMAGES)
    folds = tables.read(results / protocol / f"fold{fold}" / "folds.parquet", FOLDS)
    return known, with_roles(known, folds)


def _look_at_points(
    path: Path, results: Path, study: Study, protocol: str, fold: int
) -> Iterator[str]:
    known, rows = _fold_of(results, study, protocol, fold)
    its = study["protocols"][protocol]
    test = rows[(rows["role"] == "test") & (rows["modality"] == its["probe"]["modality"])]
    ids, place = list(test["image_id"]), f"{protocol}, fold {fold}"
    located = points_for(
        read_points(path), known, ids, dataset=its["dataset"], whose=f"test images of {place}"
    )
    lost = int(np.isnan(located.points[:, 0, 0]).sum())
    sure = "" if np.isnan(located.expected_error).all() else ", with expected errors"
    yield f"{place}: {len(ids)} test images, {lost} not found{sure}"


def _look_at_scores(
    path: Path, results: Path, study: Study, protocol: str, fold: int
) -> Iterator[str]:
    trials, known = trials_of(results, study, protocol, fold)
    dataset, whose = study["protocols"][protocol]["dataset"], f"{protocol}, fold {fold},"
    table = scores_for(read_scores(path), trials, known, dataset=dataset, whose=whose)
    for reading, rows in table.groupby(READING, sort=False):
        genuine = int(rows["genuine"].sum())
        yield (
            f"{whose} {reading}: {len(rows)} scores, {genuine} genuine, of "
            f"{rows['probe_id'].nunique()} probes and {rows['gallery_id'].nunique()} people"
        )
    yield from told(table)


def _write(
    files: Mapping[Path, pd.DataFrame], metadata: Mapping[str, str], *, source: Path
) -> None:
    """Write tables as CSV, or as Parquet where the name says so; none if one may not be."""
    targets = {
        path: check_output(path, {TABLE: [source]}, ours=partial(_begins_with, names=[*table]))
        for path, table in files.items()
    }
    for path, table in files.items():
        if path.suffix == ".parquet":
            schema = pa.Schema.from_pandas(table, preserve_index=False)
            tables.write(targets[path], table, schema, metadata)
        else:
            replace_file(targets[path], partial(table.to_csv, index=False))


def _begins_with(path: Path, names: list[str]) -> bool:
    """Say whether a file has these columns."""
    if path.suffix == ".parquet":
        try:
            return list(pq.read_schema(path).names) == names
        except (pa.ArrowException, OSError):
            return False
    begins = ",".join(names).encode()
    with path.open("rb") as file:
        return file.read(len(begins)) == begins
