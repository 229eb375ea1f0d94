"""A rollback takes effect after everything that a daemon has logged."""

from lotus_modules.priors.rollback import MINUTE_MS, minute_after


def test_a_rollback_begins_a_whole_minute_after_swaps_and_log() -> None:
    assert minute_after(0, []) == 2 * MINUTE_MS
    assert minute_after(5 * MINUTE_MS + 1, [(MINUTE_MS, "a")]) == 7 * MINUTE_MS
    assert minute_after(0, [(MINUTE_MS, "a"), (9 * MINUTE_MS, "b")]) == 11 * MINUTE_MS
