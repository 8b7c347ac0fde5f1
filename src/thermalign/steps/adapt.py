"""Make a manifest of a dataset that lies on disk as its publishers hand it out."""

from pathlib import Path
from typing import Any

from thermalign import originals
from thermalign.ingest import tree


def run(
    *,
    settings: dict[str, Any],
    manifest: Path,
    left_out: Path,
    files: Path,
    fingerprint: str,
    code: str,
) -> None:
    """Write the manifest of a tree, and what is left out of it.

    Parameters
    ----------
    settings : the dataset's block of the configuration, its folder resolved
    manifest, left_out : Path
    files : Path
        Record of the files and folders that decided both, as :mod:`thermalign.originals` writes it.
    fingerprint : str
        Of those, as the job was planned.
    code : str
        Fingerprint of the code; kept by Snakemake.

    Raises
    ------
    ValueError
        If the adapter refuses the tree.
    """
    own = {key: value for key, value in settings.items() if key not in ("adapter", "box", "accept")}
    made = tree.list_tree(settings["adapter"], own, "dataset")
    tree.write_tree(made, manifest, left_out)
    originals.write_tree_record(files, fingerprint, made.sources)
