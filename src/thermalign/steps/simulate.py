"""Render one chunk of the built-in dataset."""

from pathlib import Path
from typing import Any

from thermalign.provenance import stamp
from thermalign.simulator.dataset import settings_from, write_chunk


def run(*, chunk: int, chunks: int, settings: dict[str, Any], folder: Path, code: str) -> None:
    """Render every ``chunks``-th subject from ``chunk`` on into ``folder``.

    Parameters
    ----------
    chunk, chunks : int
    settings : the dataset's block of the configuration
    folder : Path
        Image files, and images, annotations and attributes (Parquet).
    code : str
        Fingerprint of the code.
    """
    people = settings_from(settings["settings"])
    write_chunk(
        folder,
        people,
        seed=settings["seed"],
        chunk=chunk,
        chunks=chunks,
        progress=True,
        metadata=stamp(code, settings),
    )
