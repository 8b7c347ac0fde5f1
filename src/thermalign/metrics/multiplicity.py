"""Many tests at once: p-values adjusted so that a whole family of them errs rarely."""

import numpy as np

from thermalign.geometry import Floats


def holm(p: Floats) -> Floats:
    """Return p-values adjusted by Holm's step-down method.

        adjusted p(k) = max over j <= k of min(1, (m - j + 1) p(j)),   p(1) <= p(2) <= ...

    Rejecting where the adjusted value is at most 5 % makes an error among all m tests with a
    probability of at most 5 %, however the tests depend on each other.

    Parameters
    ----------
    p : (M,) float
        NaN for what could not be tested: it stays NaN and does not count among the m.

    Returns
    -------
    (M,) float

    Raises
    ------
    ValueError
        If a value lies outside 0..1.

    Source
    ------
    Holm, Scandinavian Journal of Statistics 6(2), 1979.
    """
    tested = np.flatnonzero(~np.isnan(p))
    values = p[tested]
    if ((values < 0) | (values > 1)).any():
        raise ValueError(f"p-values lie in 0..1, got {values.min()} to {values.max()}")
    rising = np.argsort(values, kind="stable")
    steps = np.arange(len(values), 0, -1) * values[rising]
    adjusted = np.full(len(p), np.nan)
    adjusted[tested[rising]] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted
