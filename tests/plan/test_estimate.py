"""What measured jobs say of others: by hand."""

import pytest

from thermalign.plan.estimate import estimate
from thermalign.plan.jobs import Job
from thermalign.plan.measured import Cost
from thermalign.plan.told import table

LINE = {"wall": 12.0, "cpu": 12.0, "start_up": 2.0, "memory": 300.0, "device": "cpu"}


def cost(work, cpu=12.0, disk=1000, **changes):
    line = LINE | {"cpu": cpu, "wall": cpu} | changes
    return Cost(Job("train", "a", work, "dan"), line, disk)


def one(work, *costs, kind="dan"):
    (found,) = estimate([Job("train", "b", work, kind)], costs)
    return found


def test_one_measured_size_is_scaled_but_for_its_start():
    found = one(50, cost(10))
    assert (found.cpu, found.wall, found.gpu) == pytest.approx((52, 52, 0))
    assert found.disk == pytest.approx(5000)
    assert (found.memory, found.beyond) == (300, 5)


def test_two_measured_sizes_tell_the_fixed_part_from_what_work_adds():
    found = one(100, cost(10, cpu=2 + 5 + 1), cost(30, cpu=2 + 5 + 3))  # 5 s and .1 s a unit
    assert found.cpu == pytest.approx(2 + 5 + 10)


def test_a_busy_machine_makes_no_job_dearer():
    alone, busy = cost(10), cost(10, wall=48.0, start_up=8.0)
    assert one(50, busy).cpu == pytest.approx(one(50, alone).cpu)
    assert one(50, busy).wall == pytest.approx(52)


def test_a_job_that_kept_two_cores_busy_lasts_half_its_core_seconds():
    found = one(50, cost(10, wall=6.0))
    assert found.wall == pytest.approx(found.cpu / 2)


def test_a_gpu_is_held_for_the_wall_time():
    found = one(50, cost(10, wall=22.0, device="NVIDIA H100"))
    assert found.gpu == found.wall == pytest.approx(2 + 5 * 20)


def test_time_on_a_gpu_is_told_by_jobs_that_had_one_alone():
    there = cost(10, wall=22.0, device="NVIDIA H100")
    assert one(50, there, cost(10, cpu=400.0)).gpu == one(50, there).gpu


def test_what_was_never_measured_is_unknown_and_in_no_sum():
    found = estimate([Job("train", "b", 10, "pbc"), Job("train", "a", 10, "dan")], [cost(10)])
    assert found[0].cpu is None
    lines = list(table(found, 2))
    assert "0.00+?" in lines[1]
    assert lines[-1].startswith("Unknown, and in no sum: 1 train.")
    assert any("used no GPU" in line for line in lines)


def test_memory_of_a_larger_job_is_a_lower_bound():
    assert ">300 MiB" in next(t for t in table([one(50, cost(10))], 1) if t.startswith("train"))
    assert ">" not in next(t for t in table([one(10, cost(10))], 1) if t.startswith("train"))


def test_a_job_far_beyond_the_measured_ones_is_called_a_guess():
    assert any("guess: train" in line for line in table([one(500, cost(10))], 1))


def test_the_largest_single_job_bounds_the_time_on_many_cores():
    found = [one(50, cost(10)), one(10, cost(10))]
    assert any("on 8 cores: 52 s if" in line for line in table(found, 8))
    assert any("on 1 cores: 64 s if" in line for line in table(found, 1))
