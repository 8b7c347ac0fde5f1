import numpy as np
import pytest

from thermalign.metrics.distributions import histogram, mean_and_sd, pixel_measures, saturation


def test_shares_of_a_histogram_by_hand():
    shares = histogram(np.array([0.1, 0.2, 1.5, 2.5]), np.array([0.0, 1, 2, 3]))
    np.testing.assert_allclose(shares, [0.5, 0.25, 0.25])


def test_values_beyond_the_bins_count_in_the_outer_ones():
    shares = histogram(np.array([-9.0, 0.5, 99.0, 98.0]), np.array([0.0, 1, 2]))
    np.testing.assert_allclose(shares, [0.5, 0.5])


def test_nothing_has_neither_mean_nor_histogram():
    for measure in (mean_and_sd, lambda v: histogram(v, np.array([0.0, 1]))):
        with pytest.raises(ValueError, match="no values"):
            measure(np.array([]))


def test_the_standard_deviation_is_that_of_the_values_themselves():
    assert mean_and_sd(np.array([1.0, 3.0])) == (2.0, 1.0)


def test_percentiles_of_an_image_by_hand():
    found = pixel_measures(np.arange(101, dtype=np.float32)[None])
    assert found["mean"] == found["p50"] == 50
    assert (found["p01"], found["p99"]) == pytest.approx((1, 99))


@pytest.mark.parametrize(("kind", "last"), [(np.uint8, 255), (np.uint16, 65535)])
def test_saturated_counts_are_those_at_the_ends_of_their_type(kind, last):
    counts = np.array([[0, 0, 0, 1], [255, last, last - 1, 7]], kind)
    high = 2 / 8 if kind is np.uint8 else 1 / 8
    assert saturation(counts) == (3 / 8, high)


def test_values_without_a_greatest_count_have_no_saturation():
    with pytest.raises(ValueError, match="float32 has no greatest count"):
        saturation(np.zeros((2, 2), np.float32))
