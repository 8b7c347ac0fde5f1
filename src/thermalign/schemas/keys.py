"""What a figure is about, in columns that METRICS and the tables made of it share."""

from typing import NamedTuple


class Subset(NamedTuple):
    """The part of a study that a figure is about; "" stands for all of it.

    Attributes
    ----------
    experiment : str
        "" for the study itself, else variant, matcher, sweep, displacement, placement or protocol.
    setting : str
        Name within the experiment: of the variant, of the matcher, the kind of displacement, ...
    level : float
        Dose of the setting where it has several (displacement: interocular distances), else 0.
    same_moment : str
        Reading of ``same_moment``; "" for the protocol's headline.
    session, volume, range, condition, modality : str
        Columns of IMAGES, as text.
    landmark : str
    attribute, attribute_value : str
        Name and value of ATTRIBUTES.
    """

    experiment: str = ""
    setting: str = ""
    level: float = 0.0
    same_moment: str = ""
    session: str = ""
    volume: str = ""
    range: str = ""
    condition: str = ""
    landmark: str = ""
    modality: str = ""
    attribute: str = ""
    attribute_value: str = ""


ALL = Subset()
"""The whole study under the headline reading."""
