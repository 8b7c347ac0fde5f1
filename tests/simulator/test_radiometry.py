"""Radiation in a band: Planck, Fresnel, the air."""

import numpy as np
import pytest

from thermalign.simulator.physics.radiometry import (
    FITTED,
    Band,
    band_radiance,
    fresnel,
    linear_radiance,
    reflectance,
    transmittance,
)
from thermalign.simulator.physics.sensor import SENSORS

BANDS = [sensor.band for sensor in SENSORS.values()]


def test_a_black_body_sends_out_the_tabulated_share_within_a_band():
    # shares of all radiation below a wavelength: .066728 at 2000 um K, .273232 at 3000 um K
    whole = 5.670374e-8 * 300**4 / np.pi
    found = float(band_radiance(300.0, Band(20 / 3, 10.0)))
    assert found == pytest.approx((0.273232 - 0.066728) * whole, rel=1e-4)


@pytest.mark.parametrize("band", BANDS)
def test_a_black_body_reads_its_temperature(band):
    celsius = np.linspace(*FITTED, 321, dtype=np.float32)
    exact = linear_radiance(celsius, band)
    assert np.abs(band.celsius(exact) - celsius).max() < 0.01
    assert np.abs(band.celsius(band.radiance(celsius)) - celsius).max() < 0.01


@pytest.mark.parametrize("band", BANDS)
def test_linearised_radiance_is_in_kelvin_at_30_degrees(band):
    assert band.radiance(30.0) == pytest.approx(0, abs=1e-3)
    assert band.radiance(30.5) - band.radiance(29.5) == pytest.approx(1, abs=1e-3)


# by Planck's law at 9.3 um alone; the shorter waves of the band bend a little more
@pytest.mark.parametrize(("cold", "warm", "error"), [(22.0, 34.0, 0.184), (10.0, 40.0, 1.23)])
def test_mixing_temperatures_would_read_too_little(cold, warm, error):
    band = SENSORS["cooled"].band
    mixed = band.celsius((band.radiance(cold) + band.radiance(warm)) / 2)
    assert mixed - (cold + warm) / 2 == pytest.approx(error, rel=0.1)


def test_fresnel_follows_snells_law_at_80_degrees():
    # sin 80 / 1.33 = .7405: refracted at cosine .6721
    inside, outside = 0.67210, 0.17365
    across, within = fresnel(np.cos(np.radians(80.0)))
    expected = (outside - 1.33 * inside) / (outside + 1.33 * inside)
    assert across == pytest.approx(expected**2, abs=1e-4)
    expected = (1.33 * outside - inside) / (1.33 * outside + inside)
    assert within == pytest.approx(expected**2, abs=1e-4)


def test_skin_is_nearly_black_head_on_and_a_mirror_at_grazing_angles():
    cosine = np.cos(np.radians(np.array([0, 45, 60, 80, 90], np.float32)))
    mirrored = reflectance(cosine)
    assert mirrored.dtype == np.float32
    assert mirrored == pytest.approx([0.0201, 0.0278, 0.0591, 0.347, 1], abs=5e-4)
    assert (np.diff(mirrored) > 0).all()


def test_nothing_is_mirrored_within_the_plane_of_incidence_at_brewsters_angle():
    across, within = fresnel(np.cos(np.arctan(1.33)))
    assert within == pytest.approx(0, abs=1e-12)
    assert across > 0.07


def test_air_takes_one_to_two_hundredths_between_the_ranges():
    # 22.5 degrees, half saturated: w = 9.91, sqrt(w) = 3.148
    passed = [transmittance(metres, 22.5) for metres in (2.5, 5.0, 7.5)]
    assert passed == pytest.approx([0.9898, 0.9855, 0.9822], abs=1e-4)
    assert transmittance(5.0, 35.0) < passed[1]
