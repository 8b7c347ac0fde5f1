"""Blur: focus and motion."""

import numpy as np
import pytest

from thermalign.simulator.physics.optics import (
    Lens,
    Sway,
    defocus_at,
    draw_focus,
    draw_sway,
    gaussian_blur,
    motion_blur,
    smear_kernel,
)
from thermalign.simulator.physics.sensor import SENSORS

# focal length 20 um / .25 mrad = 80 mm, aperture 40 mm
LENS = Lens(2.0, pitch=20.0, pixel_angle=0.25e-3, wavelength=10.0, aberration=0.3)


def moments(kernel):
    """Return the mean (x, y) and the covariance of a kernel about its middle, px."""
    half = kernel.shape[0] // 2
    y, x = np.indices(kernel.shape) - half
    places = np.stack([x.ravel(), y.ravel()])
    mean = places @ kernel.ravel() / kernel.sum()
    away = places - mean[:, None]
    return mean, (away * kernel.ravel()) @ away.T / kernel.sum()


def edge_width(image):
    """Return the standard deviation of the slope of an upright edge, px."""
    slope = np.diff(image[0].astype(np.float64))
    x = np.arange(len(slope))
    middle = (x * slope).sum() / slope.sum()
    return np.sqrt((slope * (x - middle) ** 2).sum() / slope.sum())


def test_in_focus_diffraction_pixel_and_aberration_add_up():
    assert LENS.aperture == pytest.approx(0.04)
    assert LENS.blur(0.0) ** 2 == pytest.approx(0.42**2 + 1 / 12 + 0.3**2)


def test_a_subject_beside_the_plane_in_focus_is_a_disc():
    defocus = defocus_at(0.0, 0.1, 2.5)  # at 2.4 m with the focus at 2.5 m: 1/60 per m
    assert defocus == pytest.approx(1 / 60)
    disc = 0.04 / 60 / 0.25e-3  # px, diameter
    assert LENS.blur(defocus) ** 2 == pytest.approx(LENS.sharp**2 + (disc / 4) ** 2)


def test_leaning_blurs_less_far_away_and_a_wrong_focus_alike():
    leaning = [abs(defocus_at(0.0, 0.05, metres)) for metres in (2.5, 5.0, 7.5)]
    assert leaning[0] > 3.9 * leaning[1] > 3.9 * 2.2 * leaning[2]
    wrong = [defocus_at(0.01, 0.0, metres) for metres in (2.5, 5.0, 7.5)]
    assert wrong == pytest.approx([0.01] * 3)


@pytest.mark.parametrize("sensor", SENSORS)
def test_defocus_widens_an_edge_as_computed(sensor):
    lens = SENSORS[sensor].lens
    edge = np.repeat(np.float32([[0, 10]]), 40, axis=1).repeat(5, axis=0)
    for defocus in (0.0, 0.02, 0.05):
        width = edge_width(gaussian_blur(edge, lens.blur(defocus)))
        assert width == pytest.approx(lens.blur(defocus), rel=0.03)


@pytest.mark.parametrize("smear", [(4.0, 0.0), (0.0, -3.0), (2.0, 2.5), (0.4, 0.1)])
def test_a_smear_is_as_long_as_the_way_and_does_not_shift(smear):
    mean, spread = moments(smear_kernel(smear))
    assert mean == pytest.approx([0, 0], abs=1e-6)
    along = np.outer(smear, smear) / 12  # a line; bilinear sharing adds at most 1/4 to either axis
    assert np.abs(spread - along).max() < 0.26


def test_a_bolometer_smears_by_its_time_constant_with_a_tail():
    kernel = smear_kernel((3.0, 0.0), decay=True)
    mean, spread = moments(kernel)
    assert kernel.sum() == pytest.approx(1)
    assert mean == pytest.approx([0, 0], abs=1e-6)
    assert spread[0, 0] == pytest.approx(9, rel=0.15)  # an exponential's is its mean squared
    middle = kernel.shape[0] // 2
    assert kernel[middle, : middle - 3].sum() == 0  # nothing from the future
    assert kernel[middle, middle + 4 :].sum() > 0.05


def test_a_bolometer_still_sees_a_moving_edge_where_it_was():
    edge = np.repeat(np.float32([[0, 1]]), 20, axis=1).repeat(9, axis=0)
    tailing = motion_blur(edge, (2.0, 0.0), decay=True)[4]  # on its way to the right
    assert tailing[15] > 1 - tailing[24] + 0.02


def test_no_motion_leaves_the_image():
    image = np.eye(9, dtype=np.float32)
    assert motion_blur(image, Sway((10.0, 0.0)).smear(0.001, 1.38)) is image


def test_sway_and_focus_are_drawn_as_wide_as_asked():
    rng = np.random.default_rng(3)
    drawn = [draw_sway(20.0, 0.1, rng) for _ in range(2000)]
    assert np.std([s.velocity for s in drawn]) == pytest.approx(20, rel=0.05)
    assert np.std([s.lean for s in drawn]) == pytest.approx(0.06, rel=0.05)
    focus = np.std([draw_focus(0.1, rng) for _ in range(2000)])
    assert focus * 2.5**2 == pytest.approx(0.08, rel=0.05)
    assert draw_sway(0.0, 0.0, rng) == Sway()
