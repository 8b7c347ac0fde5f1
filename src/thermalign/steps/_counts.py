"""Parameter counts of the configured models."""

import importlib
from typing import Any

import pandas as pd

from thermalign.landmarks._count import printed_parameters
from thermalign.landmarks._settings import parse


def parameter_counts(models: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """Return model, detector, configured and paper: parameters as the paper counts them.

    ``paper`` is the count at the detector's default settings, which are the paper's.

    Raises
    ------
    ValueError
        If a model's settings are not its detector's.
    """
    rows = []
    for name, block in models.items():
        settings = {key: value for key, value in block.items() if key != "seeds"}
        detector = settings.pop("model", name)
        module = importlib.import_module(f"thermalign.landmarks.{detector}")
        parsed = parse(module.Settings, settings, f"models: {name}")
        configured, paper = (
            printed_parameters(module.network(s)) for s in (parsed, module.Settings())
        )
        rows.append((name, detector, configured, paper))
    return pd.DataFrame(rows, columns=["model", "detector", "configured", "paper"])
