"""What later sessions change of hair: it has been cut or has grown, and is combed anew."""

from dataclasses import dataclass, replace
from math import exp

import numpy as np

from thermalign.simulator.person.anatomy import Identity

# ASSUME: standard deviations of the logarithm of how much longer or shorter hair is than it was
HAIR_SD = 0.20

BEARD_SD = 0.35


@dataclass(frozen=True)
class Growth:
    """Hair beside what it was in the first session.

    Attributes
    ----------
    hair, beard : float
        Factors: of how far the hair of the head stands off, and of the density of facial hair.
    rng : Generator
        Of how the hair lies.
    """

    hair: float
    beard: float
    rng: np.random.Generator

    def of_beard(self, identity: Identity) -> Identity:
        """Return a person with the facial hair of the session; who has none grows none."""
        beard, moustache = (
            min(1.0, self.beard * density) for density in (identity.beard, identity.moustache)
        )
        return replace(identity, beard=beard, moustache=moustache)


def draw_growth(rng: np.random.Generator) -> Growth:
    """Draw what has become of a person's hair since the first session."""
    hair, beard = (exp(rng.normal(0, sd)) for sd in (HAIR_SD, BEARD_SD))
    return Growth(hair, beard, rng)
