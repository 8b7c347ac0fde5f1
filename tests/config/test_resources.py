"""What jobs ask for, worked out by hand for small studies."""

import pytest

from thermalign.catalogue import detectors, takes_a_gpu
from thermalign.config import resources
from thermalign.config.resources import AROUND, HEADROOM, NEEDS, STEP, Need, Requests

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
