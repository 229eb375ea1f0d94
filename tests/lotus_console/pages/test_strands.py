"""`lotus_console/pages/strands.py`: the windows behind a braid, those that are gone, and one window by itself."""

import math

import pytest
from sown import put_braid, put_lesson, put_night, put_outcome, put_window

from lotus_console.pages.strands import SAMPLE, strands_facts, window_facts
from lotus_console.reading import HomeReading
from lotus_store.databases import Connection
from tests.support.asgi_client import AsgiClient


def test_the_mean_is_over_windows_that_paid_a_known_sum(reading: HomeReading, sig: Connection) -> None:
    put_night(sig)
    put_lesson(sig, 1)
    names = [put_window(sig, k) for k in range(1, 5)]
    for k, paid in ((1, 3.0), (2, -1.0), (3, math.nan)):
        put_outcome(sig, k, paid)
    braid = put_braid(sig, 1, members_sample=(*names, "gone", "lost"))
    facts = strands_facts(reading, {"braid_id": braid.braid_id})
    assert facts["title"] == "4 windows that taught this belief, +1.00 bps on average"
    assert (facts["missing"], facts["rule"]) == (2, "spread >= 3")
    assert [card["event_id"] for card in facts["windows"]] == names
    assert [card["payoff_y"] for card in facts["windows"][:2]] == [3.0, -1.0]


def test_a_sample_is_bounded_and_a_braid_without_one_is_shown(
    reading: HomeReading, sig: Connection, browser: AsgiClient
) -> None:
    many = tuple(put_window(sig, k) for k in range(1, SAMPLE + 9))
    shown = strands_facts(reading, {"braid_id": put_braid(sig, 1, members_sample=many).braid_id})
    assert (len(shown["windows"]), shown["missing"]) == (SAMPLE, 0)
    nothing = put_braid(sig, 2, members_sample=())
    assert strands_facts(reading, {"braid_id": nothing.braid_id})["windows"] == []
    assert browser.get(f"/braids/{nothing.braid_id}/windows").status == 200
    assert browser.get("/braids/none/windows").status == 404


def test_one_window_without_frames_or_tape_still_shows_its_numbers(
    reading: HomeReading, sig: Connection, browser: AsgiClient
) -> None:
    name = put_window(sig, 1, s=-0.25)
    put_outcome(sig, 1, -7.5)
    facts = window_facts(reading, {"event_id": name})
    assert facts["title"] == "BTC on 2026-01-05 00:00:35, micro drift"
    assert (facts["event"]["side"], facts["event"]["payoff_y"]) == ("sell", -7.5)
    page = browser.get(f"/windows/{name}")
    assert (page.status, "-7.50" in page.text or "−7.50" in page.text) == (200, True)
    with pytest.raises(LookupError, match="no window"):
        window_facts(reading, {"event_id": "x" * 5000})
