"""A channel that fell silent is named with its coin; a quiet one, a short break and a lost connection are not."""

import numpy as np
import pytest
from numpy.typing import NDArray

from lotus.manifest import Asset
from lotus_store.facts.brief.channels import CHANNELS, channels_line, silences

UNIVERSE = (Asset("BTC", 5), Asset("ETH", 4))
MINUTES = 60
START_MS = 1_767_254_400_000  # 2026-01-01 08:00


def day() -> dict[str, NDArray[np.generic]]:
    """An hour of both coins, ten messages of every channel a minute."""
    rows = 2 * MINUTES
    columns: dict[str, NDArray[np.generic]] = {
        "asset": np.repeat([0, 1], MINUTES),
        "minute_ms": START_MS + 60_000 * np.tile(np.arange(MINUTES), 2),
        "messages": np.full(rows, 40),
        "expected_s": np.full(rows, 60.0),
    }
    return columns | {column: np.full(rows, 10) for column in CHANNELS}


def test_a_day_on_which_all_is_heard_is_green() -> None:
    assert silences(day(), UNIVERSE) == []
    assert channels_line([]).colour == "good"
    assert silences({}, UNIVERSE) == []


@pytest.mark.parametrize("column", list(CHANNELS))
def test_a_channel_that_falls_silent_is_named_with_its_coin(column: str) -> None:
    minutes = day()
    minutes[column][MINUTES + 20 : MINUTES + 35] = 0
    line = channels_line(silences(minutes, UNIVERSE))
    assert (line.colour, line.answer) == ("look", f"{CHANNELS[column]} of ETH was silent for 15 minutes from 08:20 on")
    minutes[column][:] = 0
    assert [x.minutes for x in silences(minutes, UNIVERSE)] == [60, 60], "all day"


def test_few_messages_a_short_break_and_a_lost_connection_are_no_silence() -> None:
    quiet, short, lost, night = day(), day(), day(), day()
    quiet["trades"][:] = 0
    quiet["trades"][::20] = 3
    short["bbos"][10:19] = 0
    for column in ("messages", *CHANNELS):
        lost[column][10:50] = 0
    night["ctxs"][10:50], night["expected_s"][10:50] = 0, 0.0
    for minutes in (quiet, short, lost, night):
        assert silences(minutes, UNIVERSE) == []
