"""A list of segments with the Monday that it was made on and the day from which it holds. Nothing is decided here."""

from dataclasses import dataclass

from lotus.detectors.daily.segment_list import Texts, segment_program
from lotus.hashing import natural_id

DISTILLED, SHIPPED = "distilled", "shipped"


@dataclass(frozen=True, slots=True)
class SegmentSet:
    """The flags of every coin, none of one that was hardly seen.

    `origin`: distilled from the states of a model, or the shipped list; `agreement`: share of the sampled windows whose
    state the distilled list gives back; `states`: how many the model chose; `bic` of three, four and five states;
    `shares` of the labels over the sample.
    """

    from_day: str
    judged_day: str
    assets: tuple[str, ...]
    texts: Texts
    agreement: float
    origin: str
    states: int
    bic: tuple[float, ...]
    shares: tuple[float, ...]

    def __post_init__(self) -> None:
        """Raise `ConfigError` for flags that are none."""
        segment_program(self.texts)

    @property
    def set_ver(self) -> str:
        """128-bit hash of coins and flags."""
        words = [
            word for name, own in zip(self.assets, self.texts, strict=True) for word in (name, str(len(own)), *own)
        ]
        return natural_id("segments", *words)

    def of(self, assets: tuple[str, ...]) -> Texts:
        """Return the flags of coins in their order, none of a coin that the list does not have."""
        by_name = dict(zip(self.assets, self.texts, strict=True))
        return tuple(by_name.get(name, ()) for name in assets)
