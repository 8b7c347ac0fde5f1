"""Polarised thermal radiation of a face: the Stokes vector that a polarimetric camera measures.

Skin that is seen at an angle emits more of the polarisation in the plane of its normal and the line
of sight (p) than across it (s), because it mirrors less of it; the room, mirrored, is polarised the
other way round and takes away what it would add if it were as warm as the skin:

    S0 = L_p + L_s,  S1 = (L_p - L_s) cos 2a,  S2 = (L_p - L_s) sin 2a,
    L_p - L_s = (R_s - R_p) (L(T) - L(room)) / 2,  DoLP = sqrt(S1^2 + S2^2) / S0

with the azimuth a of the normal in the image (the laws of Kirchhoff and Fresnel). The room is
unpolarised and of one temperature.

Nothing here is part of a dataset: its tables know thermal and visible images. Whoever wants a DoLP
image beside S0 stores it as 16-bit counts of 1e-6 under the thermal image's name with ``_dolp``.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from thermalign.simulator.expression import Deformation
from thermalign.simulator.fields import Map
from thermalign.simulator.radiometry import Band, fresnel
from thermalign.simulator.thermal import see_surface
from thermalign.simulator.view import View


@dataclass(frozen=True)
class Stokes:
    """Linear polarisation of each pixel; circular polarisation is none.

    Attributes
    ----------
    s0 : (h, w) K
        Radiance, in units of its growth per kelvin at the reference temperature.
    s1, s2 : (h, w) K
        Horizontal minus vertical; 45 degrees minus 135, counted from the image's right over its
        top.
    """

    s0: Map
    s1: Map
    s2: Map

    @property
    def degree(self) -> Map:
        """Degree of linear polarisation, (h, w), 0..1."""
        return np.asarray(cv2.magnitude(self.s1, self.s2) / self.s0, np.float32)


def see_stokes(
    view: View,
    emission: tuple[Map, ...],
    deformation: Deformation,
    *,
    band: Band,
    ambient: float,
) -> Stokes:
    """Return the polarised radiation of a person with a closed mouth; the background as if skin.

    Parameters
    ----------
    view : View
    emission : as :func:`thermalign.simulator.thermal.emission_maps` returns them
    deformation : Deformation
    band : Band
    ambient : float, degrees Celsius
    """
    radiance, *normal = see_surface(view, emission, deformation)
    turned = np.tensordot(view.camera.rotation.astype(np.float32), np.stack(normal), 1)
    cosine = np.clip(np.tensordot(view.towards.astype(np.float32), np.stack(normal), 1), 0, 1)
    across, within = fresnel(cosine)
    excess = radiance - band.radiance(ambient)
    s0 = band.darkness + radiance - (across + within) / 2 * excess
    polarised = (across - within) / 2 * excess
    x, up = turned[0], -turned[1]
    squared = np.maximum(x * x + up * up, np.float32(1e-12))
    s1, s2 = polarised * (x * x - up * up) / squared, polarised * 2 * x * up / squared
    return Stokes(*(np.asarray(part, np.float32) for part in (s0, s1, s2)))
