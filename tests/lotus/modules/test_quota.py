"""Quotas: bounds that hold for every history."""

from hypothesis import given
from hypothesis import strategies as st

from lotus.modules.quota import STEP_MS, Bucket, take


@given(
    st.integers(1, 600),
    st.lists(st.tuples(st.integers(0, 2), st.integers(-5_000, 60_000)), max_size=400),
)
def test_no_more_than_the_quota_passes_and_urgent_ones_always(per_minute: int, said: list[tuple[int, int]]) -> None:
    bucket: Bucket | None = None
    now, latest, passed = 0, 0, [0, 0, 0]
    for priority, step in said:
        now = max(now + step, latest - STEP_MS, 0)
        latest = max(latest, now)
        bucket, passes = take(bucket, per_minute, priority, now)
        passed[priority] += passes
        assert passes or priority < 2
    allowed = per_minute + latest * per_minute / 60_000
    assert passed[0] <= allowed + 1e-6
    assert passed[0] + passed[1] <= allowed + per_minute + passed[2] + 1e-6


def test_low_priority_stops_first_and_an_even_stream_below_the_quota_never_does() -> None:
    bucket: Bucket | None = None
    outcomes = []
    for priority in [0] * 61 + [1] * 61 + [2]:
        bucket, passes = take(bucket, 60, priority, 0)
        outcomes.append(passes)
    assert outcomes == [True] * 60 + [False] + [True] * 60 + [False, True]
    bucket = None
    for k in range(10_000):
        bucket, passes = take(bucket, 60, 0, k * 1000)
        assert passes


@given(st.integers(1, 600), st.integers(STEP_MS + 1, 10**12))
def test_a_clock_that_was_set_back_mutes_nobody(per_minute: int, step_ms: int) -> None:
    bucket: Bucket | None = None
    for at_ms in (step_ms, 0):
        for _ in range(per_minute + 1):
            bucket, passes = take(bucket, per_minute, 0, at_ms)
        assert not passes
    for k in range(1, per_minute + 1):
        bucket, passes = take(bucket, per_minute, 0, 61_000 * k // per_minute + 1)
        assert passes, k
