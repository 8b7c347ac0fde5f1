"""What is known of the person on an image, as rows of ATTRIBUTES give it."""

from thermalign.simulator.person.face import Face
from thermalign.simulator.person.facial_hair import LONG
from thermalign.simulator.settings import Settings

STUBBLE = 0.1  # density from which cheeks are not shaven

SKINS = ("light", "medium", "dark")
"""Thirds of the scale of melanin, 0..1."""


def attributes_of(face: Face, settings: Settings) -> dict[str, str]:
    """Return what a person wears and looks like in a dataset.

    Returns
    -------
    dict of name to value
        ``glasses`` and ``cap``: yes or no, as worn. ``beard``: none, stubble, moustache (without
        a beard) or beard, as drawn. ``skin``: light, medium or dark.
    """
    person = face.identity
    if person.beard > LONG:
        beard = "beard"
    elif person.moustache > LONG:
        beard = "moustache"
    else:
        beard = "stubble" if max(person.beard, person.moustache) > STUBBLE else "none"
    return {
        "glasses": "yes" if settings.glasses and face.glasses else "no",
        "cap": "yes" if face.cap else "no",
        "beard": beard,
        "skin": SKINS[min(int(3 * person.melanin), 2)],
    }
