"""Laws of watching: equal to the naive oracle, live equal to batch, no look-ahead, no memory beyond its bars."""

import random
from dataclasses import replace
from functools import cache
from itertools import pairwise

import pytest
from drawn_watches import drawn
from hypothesis import given, settings
from hypothesis import strategies as st
from make import CADENCE_MS, Trace, random_trace
from oracle import Oracle
from pace import examples

from lotus.microtape.frames.spec import I_END
from lotus.triggers.conditions import Trigger, warm_up_ms
from lotus.triggers.events import Cause, EvaluationStatus, TriggerEvent
from lotus.triggers.watcher import Watcher, WatchPlan

SEEDS = st.integers(0, 2**32 - 1)


def watched(trigger: Trigger, plan: WatchPlan, trace: Trace) -> tuple[TriggerEvent, ...]:
    return Watcher(trigger, plan).run(trace.ints, trace.floats)


@cache
def oracle_runs() -> tuple[int, set[tuple[EvaluationStatus, Cause]]]:
    """Compare many random watches with the oracle; return how many were equal and which events they had."""
    seen, equal = set[tuple[EvaluationStatus, Cause]](), 0
    for seed in range(120):
        trigger, plan, trace = drawn(seed)
        events = watched(trigger, plan, trace)
        told = [(e.time_ms, str(e.status), str(e.cause), e.part) for e in events]
        assert told == Oracle(trigger, plan, trace).events(), (seed, trigger.text)
        seen |= {(e.status, e.cause) for e in events}
        equal += 1
    return equal, seen


def test_random_watches_are_those_of_the_naive_oracle() -> None:
    assert oracle_runs()[0] == 120


@pytest.mark.parametrize("cause", Cause, ids=str)
def test_the_random_watches_met_every_cause(cause: Cause) -> None:
    assert cause in {c for _, c in oracle_runs()[1]}


@given(SEEDS, st.lists(st.integers(0, 300), max_size=6))
@settings(max_examples=examples(60), deadline=None)
def test_live_and_batch_in_any_chunks_are_equal_bit_for_bit(seed: int, cuts: list[int]) -> None:
    trigger, plan, trace = drawn(seed, 300)
    whole = watched(trigger, plan, trace)
    live, chunked = Watcher(trigger, plan), Watcher(trigger, plan)
    one_by_one = [event for k in range(len(trace)) for event in live.step(trace.ints[k], trace.floats[k])]
    assert repr(one_by_one) == repr(list(whole))
    edges = [0, *sorted(min(cut, len(trace)) for cut in cuts), len(trace)]
    parts = [trace.part(a, b) for a, b in pairwise(edges)]
    assert repr([e for part in parts for e in chunked.run(part.ints, part.floats)]) == repr(list(whole))


@given(SEEDS, st.integers(1, 299))
@settings(max_examples=examples(60), deadline=None)
def test_what_comes_later_changes_nothing_that_was_said(seed: int, cut: int) -> None:
    trigger, plan, trace = drawn(seed, 300)
    now = int(trace.ints[min(cut, len(trace)) - 1, I_END])
    before = watched(trigger, plan, trace.part(0, cut))
    assert before == tuple(e for e in watched(trigger, plan, trace) if e.time_ms <= now)


@given(SEEDS, st.integers(0, 100))
@settings(max_examples=examples(60), deadline=None)
def test_nothing_is_remembered_from_before_the_warm_up(seed: int, more: int) -> None:
    """With its warm-up before the start a watch says the same however much came before."""
    trigger, plan, _ = drawn(seed)
    trace = random_trace(random.Random(seed + 1), 300, holes=False)
    plan = replace(plan, start_ms=int(trace.ints[180, I_END]), valid_until_ms=None)
    enough = 180 - warm_up_ms(trigger) // CADENCE_MS
    assert watched(trigger, plan, trace.part(enough - more, 300)) == watched(trigger, plan, trace)
