"""The rate budget: a reserve for cancels, one weight for all accounts of a venue."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus.errors import VenueError
from lotus_venues.hyperliquid.rate_budget import WINDOW_MS, AddressWeight, RateBudget, shared_weight


def test_cancels_have_a_reserve() -> None:
    budget = RateBudget(AddressWeight(100, 20), actions_left=12, reserve_actions=10)
    budget.spend(80, 0)
    with pytest.raises(VenueError, match="weight"):
        budget.spend(1, 0)
    budget.spend(20, 0, is_urgent=True)
    with pytest.raises(VenueError, match="weight"):
        budget.spend(1, 0, is_urgent=True)
    budget.spend(1, WINDOW_MS, actions=2)
    with pytest.raises(VenueError, match="actions"):
        budget.spend(1, WINDOW_MS, actions=1)
    budget.spend(1, WINDOW_MS, actions=10, is_urgent=True)
    budget.spend(1, WINDOW_MS, actions=1, is_urgent=True)  # none is left: the venue is the one to refuse a cancel
    with pytest.raises(VenueError, match="actions"):
        budget.spend(1, WINDOW_MS, actions=1)
    budget.set_used(used=5, cap=1000)
    budget.spend(1, WINDOW_MS, actions=1)


def test_accounts_of_one_venue_share_its_weight_and_not_their_actions() -> None:
    url = "https://shared.example"
    one, two = (RateBudget(shared_weight(at), actions_left=600) for at in (url, url + "/info"))
    other = RateBudget(shared_weight("https://another.example"), actions_left=600)
    one.spend(1000, 0, actions=100)
    with pytest.raises(VenueError, match="1000 of 1000 weight"):
        two.spend(1, 0, actions=1)
    two.spend(200, 0, actions=1, is_urgent=True)
    other.spend(1000, 0)
    assert (one.actions_left, two.actions_left, other.actions_left) == (500, 599, 600)


@given(st.lists(st.tuples(st.integers(0, 30_000), st.integers(1, 40), st.booleans()), max_size=60))
def test_no_minute_holds_more_than_the_limit(requests: list[tuple[int, int, bool]]) -> None:
    budget, now, kept = RateBudget(AddressWeight(100, 30)), 0, []
    for step, weight, is_urgent in requests:
        now += step
        try:
            budget.spend(weight, now, is_urgent=is_urgent)
            kept.append((now, weight))
        except VenueError:
            pass
        window = sum(w for t, w in kept if t > now - WINDOW_MS)
        assert window == budget.weight.spent(now) <= 100
