"""Partnership strength: bounded, monotone, and it comes to what is observed."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lotus.modules.partnership import CEILING, FLOOR, USUAL_MS, Partner, best, observe

MS = st.floats(0, 1e7)
HISTORY = st.lists(st.tuples(MS, st.booleans()), max_size=200)


@given(HISTORY)
def test_strength_keeps_floor_and_ceiling_and_shares_stay_shares(history: list[tuple[float, bool]]) -> None:
    partner = Partner()
    for latency_ms, well in history:
        partner = observe(partner, latency_ms, well)
        assert FLOOR <= partner.strength <= CEILING
        assert 0 <= partner.reliability <= 1
        assert 0 <= partner.latency_ms <= 1e7
    assert partner.applied == len(history)


@given(HISTORY, MS, MS)
def test_faster_and_better_is_never_weaker(history: list[tuple[float, bool]], one: float, other: float) -> None:
    partner = Partner()
    for latency_ms, well in history:
        partner = observe(partner, latency_ms, well)
    fast, slow = min(one, other), max(one, other)
    assert observe(partner, fast, True).strength >= observe(partner, slow, True).strength
    assert observe(partner, fast, True).strength >= observe(partner, fast, False).strength


@given(MS, st.booleans())
def test_it_comes_to_what_is_observed_and_forgets(latency_ms: float, well: bool) -> None:
    partner = Partner(5.0, float(not well))
    distances = []
    for _ in range(300):
        partner = observe(partner, latency_ms, well)
        distances.append((abs(partner.latency_ms - latency_ms), abs(partner.reliability - well)))
    assert all(b[0] <= a[0] + 1e-6 and b[1] <= a[1] for a, b in pairwise(distances))
    assert abs(partner.latency_ms - latency_ms) <= 1e-6 * max(latency_ms, 1)
    expected = min(max(well * USUAL_MS / (USUAL_MS + latency_ms), FLOOR), CEILING)
    assert abs(partner.strength - expected) < 1e-6


@given(st.dictionaries(st.text(max_size=3), st.floats(FLOOR, CEILING)))
def test_the_strongest_is_chosen_by_name_among_equals(strengths: dict[str, float]) -> None:
    found = best(strengths)
    assert (found is None) == (not strengths)
    if found is not None:
        assert strengths[found] == max(strengths.values())
        assert found == min(name for name in strengths if strengths[name] == strengths[found])
