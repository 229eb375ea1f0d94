"""A stored account goes on as if nothing had happened."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples
from paper_market import BTC, STEP, UNIVERSE, market, play

from lotus.errors import LedgerError
from lotus_venues.paper_account.account import PaperAccount
from lotus_venues.paper_account.state import from_stored


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(STEP, max_size=40), st.integers(0, 40), st.sampled_from([0, 3]))
def test_a_stored_account_goes_on_as_if_nothing_happened(steps: list[Any], cut: int, latency_ms: int) -> None:
    """Storing through JSON at any point changes neither a later event nor the state; so does a replay."""
    straight, broken = market(latency_ms=latency_ms), market(latency_ms=latency_ms)
    for index, step in enumerate(steps):
        if index == cut:
            broken.account.take_events()
            text = json.dumps(broken.account.stored())
            broken.account = PaperAccount(UNIVERSE, broken.account.terms)
            broken.account.restore(json.loads(text), outage=False)
            straight.account.take_events()
        play(straight, step)
        play(broken, step)
    assert broken.account.take_events() == straight.account.take_events()
    assert broken.account.stored() == straight.account.stored()


def test_a_stored_account_of_another_universe_is_refused() -> None:
    stored = market().account.stored()
    with pytest.raises(LedgerError, match="universe"):
        from_stored(stored, (BTC,))
    with pytest.raises(LedgerError, match="cannot be read"):
        from_stored({"head": {}, "orders": [], "fills": []}, UNIVERSE)
