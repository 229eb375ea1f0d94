"""Events of a watch: their order, what they tell, and one end for every arming."""

import random
from dataclasses import replace

from drawn_watches import drawn
from hypothesis import given, settings
from hypothesis import strategies as st
from make import Trace, scope
from pace import examples

from lotus.triggers.checker import read_trigger
from lotus.triggers.conditions import Trigger
from lotus.triggers.events import Cause, EvaluationStatus, TriggerEvent
from lotus.triggers.watcher import Watcher, WatchPlan

SEEDS = st.integers(0, 2**32 - 1)


def watched(trigger: Trigger, plan: WatchPlan, trace: Trace) -> tuple[TriggerEvent, ...]:
    return Watcher(trigger, plan).run(trace.ints, trace.floats)


@given(SEEDS)
@settings(max_examples=examples(60), deadline=None)
def test_the_order_of_events_and_what_they_tell(seed: int) -> None:
    trigger, plan, trace = drawn(seed, 300)
    events = watched(trigger, plan, trace)
    assert [e.seq for e in events] == list(range(1, len(events) + 1))
    assert [e.time_ms for e in events] == sorted(e.time_ms for e in events)
    for event in events:
        assert event.time_ms > plan.start_ms or event.cause is Cause.VALID_UNTIL
        assert all(h.time_ms <= event.time_ms for h in event.happenings)
        if event.cause in (Cause.HOLDS, Cause.PRECONDITION) and len(trigger.preconditions) == 1:
            (gate,) = [r for r in event.readings[-1:] if r.part in trigger.precondition_texts]
            assert gate.holds == (event.status is EvaluationStatus.FIRED)


@given(SEEDS)
@settings(max_examples=examples(60), deadline=None)
def test_every_arming_comes_to_one_end_before_the_next(seed: int) -> None:
    _, plan, trace = drawn(seed, 300)
    trigger = read_trigger(scope(random.Random(seed), 0))
    armed: TriggerEvent | None = None
    for event in watched(trigger, replace(plan, once=False), trace):
        if event.status is EvaluationStatus.ARMED:
            assert armed is None
            armed = event
        elif event.cause is not Cause.VALID_UNTIL:
            assert armed is not None
            late = event.time_ms > (armed.deadline_ms or 0)
            assert late if event.cause is Cause.LIMIT else not late or event.cause is Cause.GAP
            armed = None
