"""The account of calls: reservations at once never overspend, a request is sent once, a kill counts as the worst."""

import threading
from collections import Counter
from pathlib import Path

import pytest

from lotus.coprocessor.model.calls import CallLimits, CallRecord, CallVerdict, ReservedCall, TokenUse
from lotus_store.databases import Databases
from lotus_store.lake import Lake
from lotus_store.ledger.llm_calls import (
    SENT,
    LlmAccount,
    LlmSpent,
    StoredRefusal,
    left_open,
    llm_calls_of,
    llm_spent,
    over,
    put_refusals,
    refused_before,
    release,
)

LIMITS = CallLimits(month_micro_usd=1_000_000, day_tokens=0, run_calls=1000)


def record(name: str, use: TokenUse, micro_usd: int, verdict: CallVerdict = CallVerdict.ANSWERED) -> CallRecord:
    """Return a call as it ended."""
    return CallRecord(name, "live", "m", "m-1", use, True, micro_usd, 12.5, verdict, "2026-01-01")


def account(databases: Databases, home: Path, limits: CallLimits = LIMITS, run: str = "run") -> LlmAccount:
    """Return the account of a run."""
    return LlmAccount(databases, Lake(home / "lake"), "main", run, limits)


def test_32_reservations_at_once_overspend_nothing(databases: Databases, tmp_path: Path) -> None:
    got: list[ReservedCall] = []
    start = threading.Barrier(32)

    def reserve(n: int) -> None:
        one = account(databases, tmp_path)
        start.wait()
        got.append(one.reserve(f"request {n}", TokenUse(10, 20), 90_000))

    threads = [threading.Thread(target=reserve, args=(n,)) for n in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with databases.connect("sig") as sig:
        spent = llm_spent(sig, "run")
    assert Counter(bool(one.number) for one in got) == {True: 11, False: 21}  # 11 * 0.09 is below 1 USD
    assert spent == LlmSpent(990_000, 330, 11, 11)
    assert all("llm.usd_month is 1" in one.refusal for one in got if not one.number)


def test_one_request_is_reserved_once_however_many_ask(databases: Databases, tmp_path: Path) -> None:
    got: list[ReservedCall] = []
    threads = [
        threading.Thread(target=lambda: got.append(account(databases, tmp_path).reserve("same", TokenUse(1, 1), 1)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(one.refusal for one in got) == {"": 1, SENT: 7}


def test_a_call_is_settled_once_and_listed_once(databases: Databases, tmp_path: Path) -> None:
    one = account(databases, tmp_path)
    reserved = one.reserve("a", TokenUse(100, 200), 500)
    one.keep("a", "the exchange")
    open_one = one.find("a")
    assert open_one is not None
    assert (open_one.document, open_one.reserved) == (
        "the exchange",
        reserved,
    )  # killed here, it is settled by the next
    for _ in range(2):
        one.settle(reserved, record("a", TokenUse(30, 40), 110))
    stored = account(databases, tmp_path, run="another").find("a")
    assert stored is not None
    assert stored.reserved.number == 0
    with databases.connect("sig") as sig:
        assert llm_spent(sig, "run") == LlmSpent(110, 70, 1, 0)
        (row,) = llm_calls_of(sig, "main", 10)
    assert (row["verdict"], row["model"], row["micro_usd"], row["tokens_in"]) == ("answered", "m-1", 110, 30)
    assert one.reserve("a", TokenUse(1, 1), 1).refusal == SENT


def test_what_was_not_paid_is_released_and_may_be_sent_again(databases: Databases, tmp_path: Path) -> None:
    one = account(databases, tmp_path)
    for _ in range(2):
        reserved = one.reserve("a", TokenUse(100, 200), 500)
        assert reserved.number
        one.settle(reserved, record("a", TokenUse(0, 0), 0, CallVerdict.BUSY))
    assert one.find("a") is None
    with databases.connect("sig") as sig:
        assert llm_spent(sig, "run") == LlmSpent(0, 0, 2, 0)
        assert len(llm_calls_of(sig, "main", 10)) == 2


def test_a_killed_call_counts_as_its_worst_and_is_not_sent_again(databases: Databases, tmp_path: Path) -> None:
    one = account(databases, tmp_path)
    assert one.reserve("a", TokenUse(100, 200), 500).number
    assert one.find("a") is None  # killed before its answer was stored
    assert one.reserve("a", TokenUse(100, 200), 500).refusal == SENT
    with databases.connect("sig") as sig:
        assert llm_spent(sig, "run") == LlmSpent(500, 300, 1, 1)


def test_a_dead_reservation_is_released_at_its_worst_and_may_be_sent_again(
    databases: Databases, tmp_path: Path
) -> None:
    one = account(databases, tmp_path)
    assert one.reserve("dead", TokenUse(100, 200), 500).number
    with databases.connect("sig", autocommit=True) as sig:
        assert left_open(sig) == []  # it may still be under way
        (found,) = left_open(sig, age_s=0.0)
        assert (found.request_hash, found.run, found.worst_micro_usd) == ("dead", "run", 500)
        assert [release(sig, [found]) for _ in range(2)] == [1, 0]
        assert llm_spent(sig, "run") == LlmSpent(500, 300, 1, 0)
    assert one.reserve("dead", TokenUse(100, 200), 500).number


def test_refusals_of_earlier_nights_are_counted_and_those_of_the_night_are_not(databases: Databases) -> None:
    with databases.connect("sig", autocommit=True) as sig:
        for run, night in (("r1", "2026-01-05"), ("r2", "2026-01-06"), ("r2", "2026-01-06")):
            put_refusals(
                sig, "b", run, night,
                [StoredRefusal("q", 1, "json", "x"), StoredRefusal("q", 2, "bounds", "y")],
            )  # fmt: skip
        assert refused_before(sig, "b", "2026-01-06") == {"bounds": 1, "json": 1}
        assert refused_before(sig, "b", "2026-01-07") == {"bounds": 2, "json": 2}
        assert refused_before(sig, "b", "2026-03-07") == refused_before(sig, "other", "2026-01-07") == {}


@pytest.mark.parametrize(
    ("spent", "limits", "tokens", "micro_usd", "words"),
    [
        ((0, 0, 0), (0, 0, 1), 5, 0, ""),  # on this machine, free
        ((0, 0, 0), (0, 0, 1), 5, 1, "llm.usd_month is 0"),
        ((9, 0, 0), (10, 0, 1), 5, 1, ""),
        ((10, 0, 0), (10, 0, 1), 5, 1, "llm.usd_month"),
        ((0, 96, 0), (0, 100, 1), 5, 0, "llm.tokens_day is 100"),
        ((0, 95, 0), (0, 100, 1), 5, 0, ""),
        ((0, 0, 1), (0, 0, 1), 5, 0, "llm.calls_run is 1"),
    ],
)
def test_each_limit_is_named(
    spent: tuple[int, int, int], limits: tuple[int, int, int], tokens: int, micro_usd: int, words: str
) -> None:
    refusal = over(LlmSpent(*spent, 0), CallLimits(*limits), tokens, micro_usd)
    assert words in refusal
    assert bool(words) == bool(refusal)


def test_calls_without_a_reservation_are_listed_once_a_run(databases: Databases, tmp_path: Path) -> None:
    for run in ("one", "one", "two"):
        account(databases, tmp_path, run=run).settle(
            ReservedCall(0), record("a", TokenUse(0, 0), 0, CallVerdict.OVER_BUDGET)
        )
    with databases.connect("sig") as sig:
        assert len(llm_calls_of(sig, "main", 10)) == 2
        assert llm_spent(sig, "one").run_calls == 0
