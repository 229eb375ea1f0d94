"""The estimate of what is left: from what was done, soon right after skipped steps, silent where it must be."""

import pytest

from lotus_cli.terminal.pace import PaceMeter, left_words


def after(*steps: tuple[float, float]) -> PaceMeter:
    """Return a pace that began at 0 s and was fed (second, done)."""
    pace = PaceMeter(0.0)
    for now_s, done in steps:
        pace.feed(done, now_s)
    return pace


def test_nothing_is_estimated_before_a_step_is_done_or_two_seconds_are_over() -> None:
    assert after().left_s(10, 50.0) is None
    assert after((1.0, 1)).left_s(10, 1.5) is None
    assert after((1.0, 1)).left_s(10, 3.0) == pytest.approx(7.0)


def test_equal_steps_take_what_the_others_took_less_what_the_present_one_has_lasted() -> None:
    pace = after((8.0, 1), (16.0, 2), (24.0, 3))
    assert pace.left_s(14, 24.0) == pytest.approx(88.0)
    assert pace.left_s(14, 29.0) == pytest.approx(83.0)
    assert pace.left_s(4, 40.0) is None, "it should be over: nobody knows"


def test_skipped_days_are_forgotten_after_a_few_that_were_computed() -> None:
    skipped = [(0.1 * k, float(k)) for k in range(1, 11)]
    computed = [(1.0 + 8.0 * k, 10.0 + k) for k in range(1, 5)]
    assert after(*skipped, *computed[:1]).left_s(30, 9.0) == pytest.approx(19 * 8.3 / 4)
    assert after(*skipped, *computed).left_s(30, 33.0) == pytest.approx(16 * 8.0)


def test_two_workers_that_end_together_do_not_shake_it() -> None:
    steps = [(8.0 * (k // 2 + 1) + 0.5 * (k % 2), k + 1.0) for k in range(8)]
    for n in range(5, 9):
        assert after(*steps[:n]).left_s(100, steps[n - 1][0]) == pytest.approx(4.0 * (100 - n), rel=0.01)


def test_many_small_steps_are_judged_by_the_newest_seconds() -> None:
    slow = [(float(k), 1.0 * k) for k in range(1, 21)]
    fast = [(20.0 + 0.1 * k, 20.0 + 10 * k) for k in range(1, 101)]
    assert after(*slow, *fast).left_s(2020, 30.0) == pytest.approx(10.0, rel=0.1)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (0.4, "about 1 s left"),
        (9.9, "about 10 s left"),
        (41.0, "about 45 s left"),
        (89.0, "about 90 s left"),
        (91.0, "about 2 min left"),
        (3599.0, "about 60 min left"),
        (7300.0, "about 2 h 2 min left"),
    ],
)
def test_it_is_told_no_finer_than_it_is_true(seconds: float | None, words: str) -> None:
    assert left_words(seconds).replace("1 h 0 min", "60 min") == words
