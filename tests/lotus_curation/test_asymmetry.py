"""Weights of asymmetry as acts: for a week, written once, lifted by people and set by nobody else."""

from dataclasses import replace

import pytest

from lotus.curation.act import CurationAct
from lotus.curation.asymmetry import weight_acts
from lotus.curation.in_force import acted, in_force, weights_of
from lotus.curation.law import REFIT, check_act
from lotus.curation.registry import powers
from lotus.detectors.asymmetry_fit import SHIPPED
from lotus.detectors.daily.make import day_tables
from lotus.detectors.daily.tables import tables_from_json, tables_to_json
from lotus.detectors.registry import shipped_detectors
from lotus.errors import ConfigError, SchemaError
from lotus.manifest import Manifest
from lotus_store.day_tables import shadow_tables

MONDAY, FROM = "2026-01-05", "2026-01-07"
WEIGHTS = (1.0, 0.25, 0.0, 0.75, 0.5)


def acts_of(weights: tuple[float, ...] = WEIGHTS, earlier: list[CurationAct] | None = None, day: str = MONDAY,
            standing: list[CurationAct] | None = None, from_day: str = FROM) -> list[CurationAct]:  # fmt: skip
    """Acts of a refit."""
    return weight_acts("main", day, from_day, weights, "fitted", earlier or [], standing or [])


def test_weights_hold_for_a_week_and_the_same_night_writes_them_once() -> None:
    acts = acts_of()
    days = ["2026-01-06", FROM, "2026-01-13", "2026-01-14"]
    assert [weights_of(in_force(acts, day)) for day in days] == [(), WEIGHTS, WEIGHTS, ()]
    assert acts_of(earlier=acts) == []
    assert acts_of(earlier=acts, from_day="2026-01-08") == []
    assert acts_of(SHIPPED) == []


def test_decided_again_a_night_ends_what_it_would_not_do_any_more() -> None:
    acts = acts_of()
    for other in (SHIPPED, (1.0, 0.5, 0.0, 0.75, 0.5)):
        again = acts_of(other, acts)
        found = weights_of(in_force([*acts, *again], FROM))
        assert found == (() if other == SHIPPED else other)
        assert acts_of(other, [*acts, *again]) == []


def test_a_person_who_lifts_one_puts_the_shipped_ones_back_until_the_lift_ends() -> None:
    acts = acts_of()
    lift = CurationAct(
        "", "main", "2026-01-08", "ann", "lift", acts[2].target, 0.0, "r", "", "2026-01-10", "2026-01-20",
        acts[2].act_id,
    )  # fmt: skip
    lift = check_act(lift, powers(), None, acts).named()
    assert weights_of(in_force([*acts, lift], "2026-01-09")) == WEIGHTS
    assert weights_of(in_force([*acts, lift], "2026-01-10")) == ()
    assert acts_of(day="2026-01-12", from_day="2026-01-14", standing=[lift, acts[2]]) == []
    assert len(acts_of(day="2026-01-19", from_day="2026-01-21", standing=[lift, acts[2]])) == 5


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"actor": "ann"}, "of the weekly refit alone"),
        ({"actor": "curator:data"}, "it sets none"),
        ({"kind": "veto", "value": 0.0}, "it has none"),
        ({"kind": "nudge"}, "not 0, within"),
        ({"value": 1.5}, "within 0 and 1"),
        ({"value": float("nan")}, "within 0 and 1"),
        ({"target": "momentum"}, "component"),
        ({"until_day": "2026-03-20"}, "1 to 30"),
        ({"from_day": MONDAY}, "first day"),
    ],
)
def test_what_the_law_refuses(change: dict[str, str | float], why: str) -> None:
    act = acts_of()[0]
    check_act(act, powers(), None)
    with pytest.raises(ConfigError, match=why):
        check_act(replace(act, **change), powers(), None)
    assert act.actor == REFIT


def test_tables_carry_them_and_are_what_they_were_without() -> None:
    m = Manifest()
    plain = day_tables(FROM, [], m, m.universe, shipped_detectors())
    found = acted(plain, in_force(acts_of(), FROM))
    assert found.asymmetry_weights == WEIGHTS
    assert found.tables_ver != plain.tables_ver
    assert tables_from_json(tables_to_json(found)) == found
    assert acted(found, []) == plain
    assert acted(plain, in_force(acts_of()[:4], FROM)) == plain, "a set that lacks one is none"
    assert shadow_tables(found, m, m.universe, shipped_detectors()).asymmetry_weights == WEIGHTS
    with pytest.raises(SchemaError, match="asymmetry"):
        replace(plain, asymmetry_weights=(0.5, 2.0))
