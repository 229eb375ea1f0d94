"""The ticket: every decision has a valid one, nothing can be changed unseen, and there is no place for an order."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from pace import examples
from states import CUES, POSITIONS, SOURCES, VIEWS, decided, desk, view

from lotus.decision.alphas import AlphaInput, CueInput
from lotus.decision.ticket import check_ticket, decision_schema, prepare, ticket_of
from lotus.errors import SchemaError
from lotus.modules.canonical import canonical_json


def some_ticket() -> dict[str, Any]:
    """A ticket with trades."""
    prepare()
    state = desk(positions={"SOL": 2e5, "PEPE": 10.0}, halted="")
    return ticket_of(decided(state, [replace(view("BTC"), triggers=("touch(level=prev_high)",)), view("ETH", -1)]))


@settings(max_examples=examples(40), deadline=None)
@given(POSITIONS, VIEWS, CUES)
def test_every_decision_has_a_valid_ticket(
    positions: dict[str, float], views: list[AlphaInput], cues: list[CueInput]
) -> None:
    decision = decided(desk(positions=positions), views, cues)
    ticket = ticket_of(decision)
    assert json.loads(canonical_json(ticket)) == ticket
    assert [t["coin"] for t in ticket["targets"]] == [t.coin for t in decision.targets]


def test_cues_under_fitted_weights_are_told_in_the_newer_schema_and_stress_halves_caps() -> None:
    def told(coin: str, basis: float, end_ms: int) -> CueInput:
        return CueInput(
            "det:a@1", coin, f"{coin}{end_ms}", "t", end_ms, 0.5, 0.2, 0.1, 0.5, 0.9, (("Z_B", basis),), True
        )

    now = desk().asof_ms
    cues = [told("BTC", 3.0, now - 5000), told("BTC", 4.5, now), told("ETH", 1.0, now)]
    calm, found = (ticket_of(decided(desk(), [view("BTC"), view("ETH")], one)) for one in (cues[2:], cues))
    assert calm["schema_ver"] == found["schema_ver"] == "dm-decision-1.1"
    assert (calm["multipliers"]["stressed"], found["multipliers"]["stressed"]) == ([], ["BTC"])
    assert found["multipliers"]["asymmetry"] == 1.0 < calm["multipliers"]["turnover"]
    assert [(cut["coin"], cut["factor"]) for cut in found["curation"]["cuts"]] == [("BTC", 0.5)]
    with pytest.raises(SchemaError, match="changed after it was named"):
        check_ticket(found | {"confidence": 0.9})
    with pytest.raises(SchemaError):
        check_ticket(found | {"schema_ver": "dm-decision-1.0"})


def test_the_name_is_the_hash_of_the_content() -> None:
    ticket = some_ticket()
    assert some_ticket() == ticket
    with pytest.raises(SchemaError, match="changed after it was named"):
        check_ticket(ticket | {"confidence": 0.9})
    other = ticket_of(decided(desk(portfolio_id="other"), [view("BTC")]))
    assert other["decision_id"] != ticket["decision_id"]


def test_it_tells_what_was_promised() -> None:
    ticket = some_ticket()
    assert [t["trigger"] for t in ticket["targets"]] == ["touch(level=prev_high)", "", ""]
    assert {a["coin"] for a in ticket["top_alphas"]} == {"BTC", "ETH"}
    assert ticket["not_used"] == [{"what": "PEPE", "reason": "no market"}]
    assert sum(e["weight"] for e in ticket["authority"]["executors"]) == pytest.approx(1.0)
    assert ticket["risk_binding"]
    assert ticket["expected"]["return_bps"] > ticket["expected"]["cost_bps"] > 0.0


def test_only_the_view_that_leads_proposes_when_to_enter() -> None:
    waiting = ("touch(level=prev_high)",)
    leads, follows, against = view("BTC"), view("BTC", source=SOURCES[1]), view("BTC", -1, source=SOURCES[1])
    asked = {
        "leads": [replace(leads, triggers=waiting), follows],
        "follows": [leads, replace(follows, triggers=waiting)],
        "goes against": [leads, replace(against, triggers=waiting)],
    }
    found = {name: decided(desk(), views).targets[0] for name, views in asked.items()}
    assert found["leads"].weight > 0.0
    assert {name: target.trigger for name, target in found.items()} == {
        "leads": waiting[0], "follows": "", "goes against": "",
    }  # fmt: skip


def test_it_tells_what_claims_did_where_they_were_heard() -> None:
    one = replace(view("BTC"), claim_bps=5.0, claim_level=0)
    (heard,) = ticket_of(decided(desk(slopes={(one.source, one.horizon_s, 0): 0.5}), [one]))["top_alphas"]
    (before,) = ticket_of(decided(desk(), [one]))["top_alphas"]
    assert before == ticket_of(decided(desk(), [view("BTC")]))["top_alphas"][0]
    added = heard["mu_bps"] - before["mu_bps"]
    assert 0.0 < added < 2.6
    assert heard["claims"] == {"claim_bps": 5.0, "level": 0, "slope": 0.5, "added_bps": pytest.approx(added)}


@pytest.mark.parametrize("name", sorted(decision_schema()["properties"]))
def test_no_member_can_be_missing_or_of_another_kind(name: str) -> None:
    ticket = some_ticket()
    with pytest.raises(SchemaError):
        check_ticket({key: value for key, value in ticket.items() if key != name})
    with pytest.raises(SchemaError):
        check_ticket(ticket | {name: {"x": [None]}})


@pytest.mark.parametrize("name", ["orders", "client_id", "limit_px", "anything"])
def test_there_is_no_place_for_an_order(name: str) -> None:
    with pytest.raises(SchemaError):
        check_ticket(some_ticket() | {name: 1})
