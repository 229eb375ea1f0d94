"""One question of the brief with its answer, and what it asks of its reader."""

from dataclasses import dataclass
from enum import StrEnum


class Colour(StrEnum):
    """What a line asks of its reader."""

    GOOD = "good"
    LOOK = "look"
    ACT = "act"


@dataclass(frozen=True, slots=True)
class BriefLine:
    """One question with its answer; `command` shows more, or is what to do."""

    colour: Colour
    question: str
    answer: str
    command: str
