"""`lotus_console/pages/braids.py`: the newest row of a braid counts, and numbers are recomputed."""

import math
from dataclasses import replace

import pytest
from sown import BRAID, DAY, NIGHT_MS, SPREAD, VOL, believed, put_braid, put_night, put_window

from lotus.errors import ConfigError
from lotus.learning.monitor import Monitor
from lotus.priors.types import IDENTITY, Literal, Patch, Rule
from lotus_console.pages.braids import BRAIDS, braid_facts, now_facts, realised_bps
from lotus_console.reading import HomeReading
from lotus_console.tables import Answer
from lotus_store.databases import Connection
from tests.hostile.console_attacks import MARKUP
from tests.support.asgi_client import AsgiClient


def board(reading: HomeReading, **given: str) -> Answer:
    return BRAIDS.source(reading, BRAIDS.asked(given))


def numbers(answer: Answer) -> list[int]:
    return [int(row["braid_id"], 16) for row in answer.rows]


def test_the_newest_row_of_each_braid_counts_and_what_acts_comes_first(reading: HomeReading, sig: Connection) -> None:
    put_night(sig)
    put_braid(sig, 1, state="active")
    put_braid(sig, 1, ordinal=1, state="sunset", reason="e = 21 at 20")
    put_braid(sig, 2, state="proposed", grade="A")
    put_braid(sig, 3, state="sunset")
    put_braid(sig, 3, day="2026-01-06", state="active", detector_id="basis_shock")
    put_braid(sig, 4, state="archived")
    put_braid(sig, 5, branch="other")
    answer = board(reading)
    assert numbers(answer) == [3, 2, 1, 4]
    assert answer.title == "1 act, 1 wait, 2 ended"
    assert answer.rows[2]["reason"] == "e = 21 at 20"
    assert numbers(board(reading, state="sunset")) == numbers(board(reading, search="E = 21")) == [1]
    assert numbers(board(reading, detector_id="basis_shock")) == numbers(board(reading, limit="1")) == [3]
    assert numbers(board(reading, grade="A")) == numbers(board(reading, limit="1", page="2")) == [2]
    assert numbers(board(reading, order="detector_id"))[0] == 3
    assert board(reading, limit="1").title == answer.title, "of all, not of those on the page"
    assert braid_facts(reading, {"braid_id": f"{1:032x}"})["changes"][0]["old_state"] == "proposed"


def test_an_empty_board_and_an_unknown_braid(reading: HomeReading, browser: AsgiClient) -> None:
    assert board(reading).title == "No lesson has become a belief yet"
    assert browser.get("/braids/x").status == 404
    now = now_facts(reading, {})
    assert (now["rows"], now["overlaps"], now["since"]) == ([], [], "the beginning")
    with pytest.raises(ConfigError, match="one of"):
        now_facts(reading, {"detector": "no_such"})


def test_life_is_the_share_of_event_time_that_is_over(reading: HomeReading, sig: Connection) -> None:
    put_night(sig)
    put_night(sig, "2026-01-08")
    put_braid(sig, 1)  # ten days from the end of the first
    put_braid(sig, 2, effective_from_ms=NIGHT_MS, expires_at_ms=NIGHT_MS)
    put_braid(sig, 3, effective_from_ms=0, expires_at_ms=2**62)
    rows = {int(row["braid_id"], 16): row for row in board(reading).rows}
    assert (rows[1]["life"], rows[1]["days_left"]) == (pytest.approx(0.3), pytest.approx(7.0))
    assert (rows[2]["life"], rows[2]["days_left"]) == (None, 0.0)
    assert (rows[3]["life"], rows[3]["days_left"]) == (None, None)


def test_what_a_rule_earned_is_the_mean_of_its_blocks() -> None:
    """Blocks of equal weight H and scatter v, whose contrasts D average 1.5 bps: that is what is shown."""
    claim, contrasts, root = 2.0, (1.0, 2.5, 0.5, 2.0), 0.7  # root: sqrt(H / v)
    x = [root * d for d in contrasts]
    y = tuple(0.8 * claim * root - one for one in x)
    monitor = Monitor(1, claim, 4.0, 400, 4, recent=y, gain_sum=sum(x), gain_square=sum(one * one for one in x))
    mean, half = realised_bps(replace(BRAID, monitor=monitor)) or (math.nan, math.nan)
    assert mean == pytest.approx(1.5)
    assert half == pytest.approx(1.96 * math.sqrt(sum(d * d for d in contrasts)) / 4)
    one_block = replace(monitor, blocks=1, recent=y[:1], gain_sum=x[0], gain_square=1.0)
    assert realised_bps(BRAID) is realised_bps(replace(BRAID, monitor=one_block)) is None


def test_what_acts_now_on_each_coin_and_which_rules_overlap(reading: HomeReading, sig: Connection) -> None:
    put_night(sig)
    wide = put_braid(sig, 1, rule=Rule.of(Literal(SPREAD, 3, 4)), patch=Patch(-0.2, 1.0), effective_from_ms=0)
    calm = put_braid(sig, 2, rule=Rule.of(Literal(VOL, 0, 1)), patch=Patch(0.1, 1.0), effective_from_ms=0)
    idle = put_braid(sig, 3, patch=IDENTITY)
    believed(sig, wide, calm, idle, day="2026-01-04")
    for k, (asset, spread, vol) in enumerate([("BTC", 1, 4), ("ETH", 3, 0), ("BTC", 4, 1), ("BTC", 3, 4)]):
        put_window(sig, k + 1, asset=asset, b_spread=spread, b_vol=vol, theta1=1.0)
    now = now_facts(reading, {"detector": "micro_drift"})
    by_coin = {row["asset"]: row for row in now["rows"]}
    assert by_coin["BTC"]["braids"] == [wide.braid_id]
    assert by_coin["BTC"]["theta"] == pytest.approx(-0.2)
    assert by_coin["ETH"]["braids"] == [wide.braid_id, calm.braid_id]
    assert by_coin["ETH"]["theta"] == pytest.approx(-0.1)
    (overlap,) = now["overlaps"]
    assert overlap["share"] == pytest.approx(2 / 3), "two of the three windows in which either holds"
    assert now["title"].startswith("Beliefs act on 2 of 2 coins")


def test_markup_in_a_reason_stays_text(sig: Connection, browser: AsgiClient) -> None:
    put_night(sig)
    for k, markup in enumerate(MARKUP):
        put_braid(sig, k, reason=markup, tags=(markup,))
    text = browser.get("/braids?limit=500").text + "".join(browser.get(f"/braids/{k:032x}").text for k in range(3))
    assert not [markup for markup in MARKUP if "<" in markup and markup in text]
    assert DAY in text
