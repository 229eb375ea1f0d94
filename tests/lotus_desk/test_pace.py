"""A stored day is traded no faster than its orders can follow."""

from pathlib import Path

import pytest

from lotus.errors import ConfigError
from lotus_desk.pace import fastest_pace, pace_to_trade
from lotus_live.live import run_live
from lotus_store.config import Settings
from lotus_venues.replay_server import ReplayPlan


def test_a_pace_that_cannot_hold_is_refused_with_the_fastest_that_can() -> None:
    with pytest.raises(ConfigError, match=r"traded at 120 times its pace.*at most 30 times"):
        pace_to_trade(120.0, [300, 30])
    assert pace_to_trade(30.0, [300, 30]) == 30.0
    assert pace_to_trade(0.0, [300, 30]) == 30.0


def test_the_shortest_horizon_lasts_a_second_and_no_market_goes_stale_between_two_ticks() -> None:
    assert fastest_pace([10, 60]) == 10.0
    assert fastest_pace([3600]) == 30.0


def test_a_replay_that_trades_too_fast_is_refused_before_it_begins(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="at most 30 times"):
        run_live(settings, (tmp_path / "no.jsonl",), plan=ReplayPlan(speed=120.0), trade=True)
