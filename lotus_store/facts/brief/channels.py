"""A line of the brief about channels of the tape that fell silent while the coin's others went on.

A channel is silent over minutes in a row, in which there should have been messages, if by its rate in the other minutes
of the day `SURELY` of them were missing; one without any message all day is silent too. (Literature: heartbeat.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lotus.manifest import Asset
from lotus_store.facts.brief.line import BriefLine, Colour
from lotus_store.facts.words import clock

CHANNELS: Final[Mapping[str, str]] = {"books": "l2Book", "bbos": "bbo", "trades": "trades", "ctxs": "activeAssetCtx"}
HALF: Final = 30.0  # s of a minute that lay in a session
FEWEST: Final = 10  # minutes in a row
SURELY: Final = 30.0  # messages that are missing: coincidence makes e^-30 of it, bursts more
SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Silence:
    """The longest silence of a channel of a coin: where it began (unix ms) and how many minutes it lasted."""

    asset: str
    channel: str
    from_ms: int
    minutes: int


def silences(minutes: Mapping[str, NDArray[Any]], universe: Sequence[Asset]) -> list[Silence]:
    """Return the channels of each coin that fell silent, by TAPE_COMPLETENESS of a day."""
    out = []
    for number, asset in enumerate(universe if minutes else ()):
        own = (minutes["asset"] == number) & (minutes["expected_s"] >= HALF)
        order = np.argsort(minutes["minute_ms"][own])
        times = minutes["minute_ms"][own][order]
        for column, channel in CHANNELS.items():
            first, length = _longest(np.asarray((minutes[column] == 0) & (minutes["messages"] > 0))[own][order])
            others = len(times) - length
            rate = float(minutes[column][own].sum()) / others if others else np.inf
            if length >= FEWEST and rate * length >= SURELY:
                out.append(Silence(asset.name, channel, int(times[first]), length))
    return out


def channels_line(found: Sequence[Silence]) -> BriefLine:
    """Tell which channels fell silent, of which coin, since when and for how long."""
    parts = [
        f"{x.channel} of {x.asset} was silent for {x.minutes} minutes from {clock(x.from_ms)[11:16]} on" for x in found
    ]
    more = f"; and {len(parts) - SHOWN} more" if len(parts) > SHOWN else ""
    answer = "; ".join(parts[:SHOWN]) + more or "yes"
    return BriefLine(Colour.LOOK if found else Colour.GOOD, "Was every channel heard?", answer, "lotus tape list")


def _longest(is_silent: NDArray[np.bool_]) -> tuple[int, int]:
    """Return where the longest run of True begins and how long it is."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_silent, [False]]).astype(np.int8)))
    starts, stops = edges[::2], edges[1::2]
    if not len(starts):
        return 0, 0
    longest = int(np.argmax(stops - starts))
    return int(starts[longest]), int(stops[longest] - starts[longest])
