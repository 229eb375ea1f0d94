"""Waits grow within bounds, repeat, and come back apart."""

from hypothesis import given
from hypothesis import strategies as st

from lotus.modules.backoff import LONGEST_WAIT_S, wait_s


@given(st.text(max_size=30), st.integers(0, 10_000), st.floats(0.001, 10))
def test_waits_grow_within_bounds_and_repeat(name: str, attempt: int, first_s: float) -> None:
    whole = min(first_s * 2.0 ** min(attempt, 60), LONGEST_WAIT_S)
    found = wait_s(name, attempt, first_s)
    assert whole / 2 <= found <= whole
    assert found == wait_s(name, attempt, first_s)


def test_messages_that_failed_together_come_back_apart() -> None:
    waits = sorted(wait_s(f"m{k}", 5, 0.5) for k in range(100))
    assert len(set(waits)) == 100
    assert waits[-1] - waits[0] > 0.8 * 8.0
