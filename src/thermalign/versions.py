"""Which version of the package runs."""

import tomllib
from importlib.metadata import version
from pathlib import Path


def own_version() -> str:
    """Return the package's version: the source tree's that it lies in, or the installed one's."""
    source = Path(__file__).parents[2] / "pyproject.toml"
    if source.is_file():
        project = tomllib.loads(source.read_text(encoding="utf-8")).get("project", {})
        if project.get("name") == "thermalign":
            return str(project["version"])
    return version("thermalign")
