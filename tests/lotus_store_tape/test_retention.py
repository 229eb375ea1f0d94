"""Retention lets go only what its rules name, oldest whole days first."""

from lotus.timebase import day_start_ms, days_between
from lotus_store.tape.retention import RetentionRules, apply_retention, expired_days
from lotus_store.tape.store import TapeStore
from lotus_store.tape.writer import WriterRules

DAYS = days_between("2025-09-01", "2025-09-06")


def _record(store: TapeStore) -> None:
    with store.writer(WriterRules(reserve_bytes=0)) as writer:
        for day in DAYS:
            writer.append(day_start_ms(day) * 1_000_000, b'{"channel":"pong"}')


def test_nothing_goes_without_a_rule(store: TapeStore) -> None:
    _record(store)
    assert apply_retention(store, RetentionRules()) == []
    assert store.days() == DAYS


def test_days_beyond_the_limit_go_oldest_first(store: TapeStore) -> None:
    _record(store)
    assert apply_retention(store, RetentionRules(keep_days=4)) == DAYS[:2]
    assert store.days() == DAYS[2:]
    assert apply_retention(store, RetentionRules(keep_days=4)) == []


def test_size_rule_and_the_two_days_that_always_stay(store: TapeStore) -> None:
    _record(store)
    one = store.segments(DAYS[0])[0].stored_bytes
    assert expired_days(store, RetentionRules(max_bytes=4 * one)) == DAYS[:2]
    assert expired_days(store, RetentionRules(keep_days=1)) == DAYS[:4]
    assert expired_days(store, RetentionRules(max_bytes=1)) == DAYS[:4]


def test_a_deletion_cut_short_is_finished_by_the_next(store: TapeStore) -> None:
    _record(store)
    (store.folder / DAYS[0]).rename(store.folder / f".expired-{DAYS[0]}")
    apply_retention(store, RetentionRules())
    assert not list(store.folder.glob(".expired-*"))
