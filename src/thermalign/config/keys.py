"""Blocks of the configuration that are settings of no part, declared as those are."""

from dataclasses import dataclass

from thermalign.settings import SEED, setting

MODALITIES = ("thermal", "visible")


@dataclass(frozen=True)
class Threads:
    """Cores per job; never a reason to run again.

    Attributes
    ----------
    train : int
        Cores of one training job.
    ingest : int
        Cores that read one dataset; worth it from some ten thousand images on.
    """

    train: int = setting(low=1)
    ingest: int = setting(1, low=1)


@dataclass(frozen=True)
class Probe:
    """Which test images are verified.

    Attributes
    ----------
    modality : str
        What they were recorded in.
    conditions, sessions : tuple of str
        Those that take part; empty is every one.
    ranges : tuple of int
        Those that take part; empty is every one.
    """

    modality: str = setting(choices=MODALITIES)
    conditions: tuple[str, ...] = setting(())
    ranges: tuple[int, ...] = setting((), low=1)
    sessions: tuple[str, ...] = setting(())


@dataclass(frozen=True)
class Gallery(Probe):
    """Which test images are enrolled.

    Attributes
    ----------
    images : int or None
        How many of each person, drawn; absent is all.
    """

    images: int | None = setting(None, low=1)


@dataclass(frozen=True)
class Protocol:
    """Who is trained on and tested, and who meets whom.

    Attributes
    ----------
    dataset : str
        Name under datasets.
    folds : int
        Random splits.
    probe : Probe
    gallery : Gallery
    same_moment : tuple of str
        May a probe meet an image of its own moment (keep) or not; the first is the headline.
    reject : tuple of float
        Shares of the probes, rising: verified again without those that a detector is least sure of.
    paper : int or None
        Protocol of the paper whose printed figures belong beside this one's; absent is none.
    """

    dataset: str
    folds: int = setting(low=1, high=1000)
    probe: Probe = setting()
    gallery: Gallery = setting()
    same_moment: tuple[str, ...] = setting(("exclude", "keep"), choices=("exclude", "keep"))
    reject: tuple[float, ...] = setting((), low=0.001, high=0.9)
    paper: int | None = setting(None, low=1, high=2, source="Poster et al. 2019, section 4.1")


@dataclass(frozen=True)
class EvaluatedOn:
    """A dataset that trained models are tested on, beside their own.

    Attributes
    ----------
    dataset : str
        Name under datasets.
    probe : Probe
        Which of its images are verified; landmarks are predicted in all of that modality.
    gallery : Gallery or None
        Which are enrolled; absent is no verification there.
    same_moment : str
        May a probe meet an image of its own moment (keep) or not.
    landmarks : tuple of str
        Those that mean there what they mean in training; empty is every one that it annotates.
    people : str
        What a subject_id says that the training dataset has, too: same, that it is that person, who
        is tested in folds that do not train on them; others, nothing; apart, that something is
        wrong. Seeds tell of rendered datasets.
    protocols : tuple of str
        Whose models are tested there; empty is every one.
    """

    dataset: str
    probe: Probe = setting()
    gallery: Gallery | None = setting(None)
    same_moment: str = setting("exclude", choices=("exclude", "keep"))
    landmarks: tuple[str, ...] = setting(())
    people: str = setting("apart", choices=("apart", "same", "others"))
    protocols: tuple[str, ...] = setting(())


@dataclass(frozen=True)
class Trained:
    """A trained model of the study.

    Attributes
    ----------
    protocol : str
        Name under protocols.
    model : str
        Name under models; with the seed behind it where seeds are listed, such as dan_seed1.
    fold : int
        Counts from 0.
    """

    protocol: str
    model: str
    fold: int = setting(0, low=0)


@dataclass(frozen=True)
class Recorded:
    """Annotated faces that the model card of a detector tells errors of.

    Attributes
    ----------
    dataset : str
        Name under datasets.
    by : str
        Attribute of that dataset that tells its sources apart: cameras or collections.
    composed : tuple of str
        Sources whose images are no frames of a camera: figures of all images are told without these
        too.
    """

    dataset: str
    by: str = setting("source")
    composed: tuple[str, ...] = setting(())


@dataclass(frozen=True)
class Detector:
    """Two trained models that together find faces and their landmarks, to take home with a card.

    Attributes
    ----------
    landmarks : Trained
        Places landmarks in face boxes; of a protocol whose probe is thermal, with validation
        people.
    finder : Trained
        Finds faces in whole images; of a protocol whose probe is thermal, which may be another.
    recorded : Recorded or None
        Annotated faces that the card has figures of, beside those of the test people; absent is
        none.
    beside : str or None
        Folder detector/ of another run, longer or shorter, whose figures stand in the card too;
        absent is none.
    """

    landmarks: Trained
    finder: Trained
    recorded: Recorded | None = setting(None)
    beside: str | None = setting(None)


@dataclass(frozen=True)
class Study:
    """A study. Closed: an unknown key is an error.

    Attributes
    ----------
    results : str
        Folder of everything the rules write.
    data : str
        Folder that folders of datasets are relative to.
    training_seed : int
        Of every matcher, and of every model that lists no seeds.
    threads : Threads
    """

    results: str
    data: str
    training_seed: int = setting(low=0, high=SEED)
    threads: Threads = setting()
