"""What jobs ask for, worked out by hand for small studies."""

from dataclasses import replace

import pytest

from thermalign.catalogue import detectors, takes_a_gpu
from thermalign.config import resources
from thermalign.config.resources import (
    AROUND,
    HEADROOM,
    NEEDS,
    STEP,
    Counts,
    Need,
    Requests,
    taken,
)

VOLUME = {"subjects": 10, "ranges": [1, 3], "baseline": 2, "expression": 1, "visible_ranges": [1]}
JOB = {"protocol": "p1", "fold": "0", "model": "dan"}


def study(**settings):
    """Return the part of a study that decides requests."""
    block = {"chunks": 5, "settings": {"volumes": [VOLUME, VOLUME | {"subjects": 4}], **settings}}
    protocol = {
        **{"dataset": "faces", "volumes": [1], "train_subjects": 6, "test_subjects": 4, "folds": 2},
        **{"probe": {"modality": "thermal"}, "same_moment": ["exclude", "keep"]},
    }
    return {
        "training_seed": 1,
        "data": ".",
        "datasets": {"faces": block},
        "protocols": {"p1": protocol},
        "models": {"dan": {}, "mean_shape": {}, "pbc": {}},
        "variants": {},
        "evaluation": {"replicates": 7},
    }


def test_a_rendered_datasets_images_are_known_from_its_settings():
    requests = Requests(study())
    assert requests.counts({"dataset": "faces"}).images == (10 + 4) * (2 * 3 + 3)
    counts = requests.counts(JOB)
    assert (counts.train, counts.test) == (6 * 6, 4 * 6)
    assert counts.pairs == 4 * 6 * 4 * 2
    assert counts.paired == 6 * 3  # visible images of training people
    assert counts.tried == 6 * 6 * 3  # two halves of them
    assert requests.counts({}).pairs == 2 * counts.pairs  # of a model, over both folds
    assert requests.counts({}).test == 4 * 6 * 2 * 4  # folds; three models and annotated points


def test_thermal_images_and_sessions_of_a_volume_count():
    more = study()
    volume = VOLUME | {"thermal_images": 30, "sessions": 2}
    more["datasets"]["faces"]["settings"]["volumes"] = [volume]
    assert Requests(more).counts({"dataset": "faces"}).images == 10 * 2 * (30 + 3)


def test_the_images_of_a_manifest_are_its_lines_and_none_is_opened(tmp_path):
    read = study()
    read["datasets"]["faces"] = {"folder": str(tmp_path), "manifest": "a.csv"}
    assert Requests(read).counts({"dataset": "faces"}).images == 0  # refused before any job
    (tmp_path / "a.csv").write_text("path\n" + "no_such_file.png\n" * 99)
    counts = Requests(read).counts(JOB)
    assert (counts.images, counts.train, counts.test) == (100, 60, 40)


def test_the_datasets_of_variants_count_where_a_fold_reads_them():
    more = study()
    more["datasets"]["warm"] = more["datasets"]["faces"]
    alone = Requests(more).counts(JOB)
    more["variants"] = {"warm": {"dataset": "warm"}, "moved": {"shift": 0.1}}
    assert Requests(more).counts(JOB).images == 2 * alone.images
    assert Requests(more).counts(JOB).test == alone.test


def test_a_job_that_tests_models_elsewhere_is_given_all_of_that_dataset():
    more = study()
    small = {"chunks": 1, "settings": {"volumes": [VOLUME | {"subjects": 3}]}}
    more["datasets"]["there"] = small
    more["evaluate_on"] = {"seen": {"dataset": "there", "probe": {"modality": "visible"}}}
    counts, own = (Requests(more).counts(JOB | job) for job in ({"other": "seen"}, {}))
    assert (counts.test, counts.pairs) == (3 * 3, 3 * 3 * 3)
    assert counts.images == own.images + 3 * (6 + 3)
    assert counts.train == own.train


def test_memory_is_what_a_rule_takes_with_headroom_and_snakemake_around_it(monkeypatch):
    monkeypatch.setitem(NEEDS, "align", Need(400, test=1000))
    assert Requests(study()).memory("align", JOB) == AROUND + HEADROOM * 400 + STEP  # 30 MB more


def test_ingest_asks_for_every_process_that_it_starts():
    def of(cores):
        return Requests(study() | {"threads": {"ingest": cores}}).memory(
            "ingest", {"dataset": "faces"}
        )

    assert of(4) - of(2) == pytest.approx(HEADROOM * 2 * resources.WORKER, abs=STEP)
    assert of(1) == pytest.approx(AROUND + HEADROOM * NEEDS["ingest"].base, abs=STEP)


def test_a_network_is_given_copies_of_its_images_and_begins_with_a_few_of_everybody():
    its = study() | {"networks": {"far": {"dataset": "faces", "copies": 4, "whitened_by": 2}}}
    counts = Requests(its).counts({"network": "far"})
    assert (counts.images, counts.train) == (14 * 9, 5 * 14 * 9)
    assert counts.paired == 2 * 14
    its["networks"]["far"] = {"dataset": "faces"}
    assert Requests(its).counts({"network": "far"}).train == 2 * 14 * 9


NETWORKS = {(60, 1200): 966, (1100, 8800): 1720}
"""MiB by people and images, a copy beside each; the latter held its descriptors twice."""


@pytest.mark.parametrize(("people", "images"), NETWORKS)
def test_what_a_network_took_is_asked_for(people, images):
    peak = NETWORKS[people, images] * 2**20 / 1e6
    counts = Counts(images=images, train=2 * images, paired=2 * people)
    assert peak <= HEADROOM * taken(NEEDS["train_network"], counts) < 1.6 * peak


def test_every_retry_asks_for_twice_the_memory_and_for_as_much_time_again():
    requests = Requests(study())
    for rule in ("train", "measure"):
        first, second, third = (requests.memory(rule, JOB, attempt) for attempt in (1, 2, 3))
        assert (second, third) == (2 * first, 4 * first)
        assert requests.runtime(rule, JOB, 3) == 3 * requests.runtime(rule, JOB)


def test_whole_frames_ask_for_more_than_crops_and_more_where_a_model_looks_further():
    def of(model, **settings):
        many = study(**settings)
        many["datasets"]["faces"]["settings"]["volumes"] = [VOLUME | {"thermal_images": 3000}]
        return Requests(many).memory("train", JOB | {"model": model})

    assert of("dan", frames=True) > of("pbc", frames=True) > of("pbc", frames=False)
    assert of("dan", frames=False) == of("pbc", frames=False)


def test_what_a_training_holds_at_once_is_bounded():
    def of(images):
        huge = study(frames=True)
        huge["datasets"]["faces"]["settings"]["volumes"] = [VOLUME | {"thermal_images": images}]
        return Requests(huge).memory("train", JOB)

    assert of(100_000) - of(90_000) == pytest.approx(HEADROOM * NEEDS["train"].train * 60, abs=STEP)
    assert of(100_000) > HEADROOM * resources.AT_ONCE["train"]


def test_a_chunk_of_a_dataset_takes_the_time_of_its_share(monkeypatch):
    monkeypatch.setitem(NEEDS, "simulate", Need(300, minutes=30, seconds=60))
    assert Requests(study()).runtime("simulate", {"dataset": "faces"}) == 30 + 26  # of 126 images


def test_gpus_are_asked_for_where_there_are_some_by_models_that_have_a_use_for_one():
    assert Requests(study(), gpus=4).gpus(JOB) == 1
    assert Requests(study(), gpus=4).gpus(JOB | {"model": "mean_shape"}) == 0
    assert Requests(study(), gpus=0).gpus(JOB) == 0


def test_detectors_without_a_network_take_no_gpu():
    assert {name for name in detectors() if not takes_a_gpu(name)} == {"ert", "mean_shape"}


FOLDS = {  # of 50 and of 100 tested people
    4000: Counts(8000, 3000, 1000, 3000, 225_000, 100_000, 100, 640 * 480),
    10_000: Counts(20_000, 7500, 2500, 7500, 1_125_000, 500_000, 100, 640 * 480),
}
"""By pairs. `compare` joined ten of them, five of either model."""

PEAKS = {
    ("align", 4000): 710,
    ("train_matcher", 4000): 1313,
    ("score", 4000): 1093,
    ("measure", 4000): 764,
    ("compare", 4000): 721,
    ("sweep", 4000): 1316,
    ("ablate", 4000): 1233,
    ("displace", 4000): 1601,
    ("train_matcher", 10_000): 1648,
    ("score", 10_000): 910,
    ("measure", 10_000): 810,
    ("compare", 10_000): 1215,
}
"""MiB, of folds as `benchmarks/memory.py` makes them; in one process, the peak reset between."""


@pytest.mark.parametrize(("rule", "pairs"), PEAKS)
def test_what_was_measured_is_asked_for_and_not_twice_as_much(rule, pairs):
    counts, peak = FOLDS[pairs], PEAKS[rule, pairs] * 2**20 / 1e6
    if rule == "compare":
        joined = {"test": 10 * counts.test, "pairs": 5 * counts.pairs, "figures": 1000}
        counts = replace(counts, **joined)
    assert peak <= HEADROOM * taken(NEEDS[rule], counts)
    assert taken(NEEDS[rule], counts) < 1.6 * peak


def test_requests_grow_with_pairs_and_comparisons_and_not_with_what_is_read_in_parts():
    few = FOLDS[4000]

    def growth(rule, *names):
        larger = replace(few, **{name: 10 * getattr(few, name) for name in names})
        return taken(NEEDS[rule], larger) - taken(NEEDS[rule], few)

    assert growth("train_matcher", "paired") > 2000  # MB of 27,000 pairs more
    for rule in ("score", "measure", "compare"):
        assert 20 < growth(rule, "pairs") < 1000
    for rule in ("align", "score", "ablate", "displace"):  # 72,000 images more
        assert growth(rule, "images", "train") < 300
