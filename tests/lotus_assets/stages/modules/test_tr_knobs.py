"""Every knob of execution has an owner of its own, and trials are read from finished plans of the book."""

from dataclasses import replace

from lotus.knobs.experiment import KnobExperiment
from lotus.modules.messages.trading import PlanReference
from lotus.timebase import DAY_MS, HOUR_MS, day_start_ms
from lotus.trading.plan.knob_choice import KnobChoice
from lotus.trading.plan.knobs import KNOBS
from lotus_assets.stages.modules import tr_knobs
from lotus_store.databases import Databases
from lotus_store.ledger.beliefs.trials import trials_of
from lotus_store.ledger.bodies import to_plain
from lotus_store.ledger.trading.plans import PlanRow, judge_plan, put_plan

FIRST = "2026-01-01"
KEY, OWNER = "execution:retry", "execution.retry"


def plan_row(name: str, kind: str, choice: KnobChoice) -> PlanRow:
    at_ms = day_start_ms(FIRST) - HOUR_MS
    reference = PlanReference(knobs=to_plain(choice))
    return PlanRow(name, "main", "d", name, kind, "BTC", "local", "done", at_ms, {}, reference, {})


def test_trials_are_read_from_finished_plans_of_the_book_by_their_end(databases: Databases) -> None:
    tried = KnobChoice("f" * 32, 12 * "2", {KEY: 1.06}, KnobExperiment(KEY, 1, 0.5, 1.06))
    midnight = day_start_ms(FIRST)
    rows = {
        "before": (plan_row("before", "book", tried), midnight - 1, 2.0),
        "first": (plan_row("first", "book", tried), midnight, 2.5),
        "never left": (plan_row("never left", "book", tried), midnight + 5, None),
        "probe": (plan_row("probe", "probe", tried), midnight, 1.0),
        "plain": (plan_row("plain", "book", replace(tried, trial=None)), midnight, 1.0),
        "open": (replace(plan_row("open", "book", tried), stage="working"), midnight, 1.0),
        "after": (plan_row("after", "book", tried), midnight + DAY_MS, 1.0),
    }
    with databases.connect("tr") as tr:
        for name, (row, finished_ms, bps) in rows.items():
            put_plan(tr, row)
            judge_plan(tr, name, [], {"slippage_exit_bps": bps, "finished_ts": finished_ms}, {})
        found = {one.name: one for one in trials_of(tr, "main", FIRST)}
        assert trials_of(tr, "other", FIRST) == []
    assert {name: one.outcome_bps for name, one in found.items()} == {"first": -2.5, "never left": 0.0}
    one = found["first"]
    assert (one.owner, one.arm, one.propensity, one.context, one.source) == (OWNER, 1, 0.5, 12 * "2", "venue")
    assert one.time_ms == midnight


def test_every_knob_has_an_owner_and_the_style_of_entry_one_for_each_step() -> None:
    keys = tr_knobs.keys()
    assert len(keys) - 1 == len(set(keys.values())) == len(KNOBS)
