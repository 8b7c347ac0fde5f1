"""What each protocol left out, and why."""

from thermalign.report.blocks import Bullets, Chapter
from thermalign.report.setup import Block, Protocol
from thermalign.report.study import Study
from thermalign.schemas.keys import ANNOTATED


def chapter(study: Study) -> Chapter | None:
    """Return the chapter; None where every protocol did all that a study can."""
    measured = study.summary[study.summary["metric"] == "eer"]
    lines = []
    for name, protocol in study.setup.protocols.items():
        models = list(measured.loc[measured["protocol"] == name, "model"].unique())
        lines += notes(protocol, models, {**study.setup.matcher, **protocol.matcher})
    if not lines:
        return None
    title = "What was left out, and why"
    return Chapter("left-out", title, blocks=[Bullets(lines)], contents="What was left out")


def notes(protocol: Protocol, models: list[str], matcher: Block) -> list[str]:
    """Return what a protocol left out, and why.

    Parameters
    ----------
    protocol : Protocol
    models : list of str
        Those whose probes were verified.
    matcher : mapping
        Its block of the configuration.
    """
    name, probe, gallery = protocol.name, protocol.probe, protocol.gallery
    lines = []
    if models and probe.modality == gallery.modality:
        lines.append(f"{name}: {_one_modality(probe.modality, str(matcher['mapping']))}")
    if not models:
        lines.append(
            f"{name}: nothing was verified: the probe ({probe}) and the gallery ({gallery}) of its "
            "test subjects give no genuine or no impostor comparison."
        )
    elif ANNOTATED not in models:
        lines.append(
            f"{name}: probes ({probe}) have no annotated points: verification uses predicted "
            "points only, without the ceiling that annotated points would give."
        )
    return lines


def _one_modality(modality: str, mapping: str) -> str:
    """Say what a mapping between modalities does where both sides have the same."""
    done = {
        "none": ": the classifier works on the descriptors themselves",
        "centring": ": both sides are taken relative to the same mean of training images",
        "two_branch": ": both sides pass the layers of one modality",
        "wccn": ": both sides pass the same normalisation, made for two modalities",
        "dpm": (
            ": both sides pass the same DPM, made to turn visible descriptors into thermal ones"
            if modality == "visible"
            else ": DPM, which maps visible descriptors, maps none; both sides are taken relative "
            "to the same mean"
        ),
    }
    return (
        f"probes and gallery are both {modality} images, so there is no second modality to map "
        f"to (mapping: {mapping}){done.get(mapping, '')}."
    )
