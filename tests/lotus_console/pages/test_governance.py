"""`lotus_console/pages/governance.py`: what is in force, and what an act would have done to the windows of a day."""

import html
import re
from dataclasses import replace

import numpy as np
from sown import DAY, put_night, put_window

from lotus.curation.act import CurationAct
from lotus.curation.curator_value import CURATOR_VALUE
from lotus.detectors.scoring.signal_spec import DIVERSITY, KAIROS
from lotus.governance.credit.braid_credit import BraidCredit
from lotus.governance.credit.credit_summary import ExpertCredit
from lotus.governance.expert_cost import ExpertCost
from lotus.timebase import day_start_ms, next_day
from lotus_console.pages.governance import ACTS_TABLE, CURATORS, effect_of, governance_facts
from lotus_console.reading import HomeReading
from lotus_store.databases import Connection
from lotus_store.ledger.beliefs.acts import acts_ending_after, acts_on, put_acts
from lotus_store.ledger.beliefs.compute import write_costs
from lotus_store.ledger.beliefs.expert_credit import write_braid_credit, write_expert_credit
from tests.hostile.console_attacks import MARKUP
from tests.support.asgi_client import AsgiClient

DAYS = next_day(DAY, 2), next_day(DAY, 5)
VETO = CurationAct("", "main", DAY, "ann", "veto", "micro_drift", 0.0, MARKUP[0], "", *DAYS).named()
END_MS = day_start_ms(DAY) + 3_600_000


def test_an_empty_home_says_so(reading: HomeReading, browser: AsgiClient) -> None:
    facts = governance_facts(reading, {})
    assert (facts["title"], facts["acts"]) == ("Nobody holds anything back", [])
    assert len(facts["curators"]) == 16
    for place in (
        "/governance",
        "/governance_acts",
        "/curators",
        "/compute",
        "/braid_credit",
        "/governance/act/nudge",
        "/governance/act/veto",
    ):
        assert browser.get(place).status == 200
    for place in ("/governance/act/promote", "/governance/act/lift?revokes=x", "/governance/act/lift"):
        assert browser.get(place).status == 404


def test_acts_and_their_value_are_shown_with_the_way_to_lift_them(
    reading: HomeReading, sig: Connection, browser: AsgiClient
) -> None:
    put_night(sig)
    stands = replace(VETO, actor="curator:data", target="@BTC").named()
    put_acts(sig, [VETO, stands])
    values = (["curator:regime"], [3], [-1.25], [4], [8.0], [1])
    rows = {n: np.array(v, CURATOR_VALUE.numpy_dtype(n)) for n, v in zip(CURATOR_VALUE.names, values, strict=True)}
    reading.lake.write(CURATOR_VALUE, "main", DAY, rows)
    facts = governance_facts(reading, {"done": VETO.act_id})
    assert facts["title"] == "2 acts in force or to come"
    assert facts["sent"]["act_id"] == VETO.act_id
    page = browser.get(f"/governance?done={VETO.act_id}").text
    assert page.count(f"/governance/act/lift?revokes={VETO.act_id}") == 2
    assert stands.act_id not in page
    assert MARKUP[0] not in page
    assert ACTS_TABLE.source(reading, ACTS_TABLE.asked({"actor": "ann"})).rows[0]["target"] == "micro_drift"
    sig_rows = CURATORS.source(reading, CURATORS.asked({"module": "sig"})).rows
    (regime,) = [row for row in sig_rows if row["name"] == "regime"]
    assert (regime["value_bps"], regime["vetoed"], regime["regret_bps"]) == (-1.25, 4, 2.0)
    assert browser.get("/api/v1/curators?module=tr").json()["rows"][0]["name"] == "execution"
    assert {act["actor"] for act in browser.get("/api/v1/governance").json()["acts"]} == {"ann", "curator:data"}


def test_what_an_act_would_do_is_counted_on_the_windows_that_it_is_about(reading: HomeReading, sig: Connection) -> None:
    put_night(sig)
    plain = {"ln_sigma_tilde": -1.0, "tau_pub": float(np.exp(-1.0)), "temperature": 0.12, "gate": 0.0, "u": 0.0}
    for k, (detector, veto, draw) in enumerate(
        [("micro_drift", 0, 0.4), ("micro_drift", 0, 0.55), ("basis_shock", 0, 0.4), ("micro_drift", KAIROS, 0.4),
         ("micro_drift", DIVERSITY, 0.3)]
    ):  # fmt: skip
        pi = 0.5 if veto == 0 else 0.0
        put_window(sig, k, detector_id=detector, veto=veto, eligible=veto == 0, pi=pi, draw=draw, published=draw < pi,
                   window_end_ms=END_MS + k, asset="BTC", **plain)  # fmt: skip
    veto = effect_of(reading, VETO)
    assert (veto["windows"], veto["moved"], veto["gained"], veto["lost"]) == (3, 2, 0, 1)
    nudge = effect_of(reading, replace(VETO, kind="nudge", value=0.05))
    assert (nudge["moved"], nudge["gained"], nudge["lost"]) == (2, 1, 0)
    lift = effect_of(reading, replace(VETO, kind="lift", revokes=VETO.act_id))
    assert (lift["moved"], lift["gained"], lift["lost"]) == (1, 1, 0)
    assert effect_of(reading, replace(VETO, target="@ETH"))["windows"] == 0
    assert effect_of(reading, replace(VETO, target="basis_shock@BTC"))["lost"] == 1


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the form of a page."""
    form = page.partition('<form class="')[2]
    return {
        name: html.unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)
    }


def test_an_act_goes_from_its_form_to_the_ledger_and_back(sig: Connection, browser: AsgiClient) -> None:
    put_night(sig)
    form = hidden(browser.get("/governance/act/veto?target=@BTC").text)
    words = {"author": "ann", "target": "@BTC", "days": "3", "reason": "listing <b>on</b> Friday"}
    preview = browser.post("/governance/preview", form | words)
    assert preview.status == 200
    assert "<b>on</b>" not in preview.text
    fields = hidden(preview.text)
    assert browser.post("/governance/send", fields | {"target": "@ETH"}).status == 400, "another act than was shown"
    sent = browser.post("/governance/send", fields)
    assert sent.status == 303
    (act,) = acts_ending_after(sig, "main", DAY)
    assert (act.actor, act.target, act.from_day, act.until_day) == ("ann", "@BTC", next_day(DAY, 2), next_day(DAY, 5))
    assert "Undo" in browser.get(sent.headers["location"]).text
    lift = hidden(browser.get(f"/governance/act/lift?revokes={act.act_id}").text)
    preview = browser.post("/governance/preview", lift | {"author": "bob", "days": "3", "reason": "it was Thursday"})
    assert browser.post("/governance/send", hidden(preview.text)).status == 303
    assert governance_acts_in_force(sig) == []
    assert browser.post("/governance/preview", form | words | {"target": "@DOGE"}).status == 400
    assert browser.post("/governance/preview", words | {"kind": "veto"}).status == 400, "without a token"


def test_a_veto_at_once_is_ticked_shown_and_kept_to_vetoes(sig: Connection, browser: AsgiClient) -> None:
    put_night(sig)
    words = {"author": "ann", "target": "@BTC", "days": "3", "reason": "listing", "now": "yes"}
    page = browser.get("/governance/act/veto").text
    assert 'name="now"' in page
    preview = browser.post("/governance/preview", hidden(page) | words)
    assert "from the next window on" in preview.text
    assert browser.post("/governance/send", hidden(preview.text)).status == 303
    (act,) = acts_ending_after(sig, "main", DAY)
    assert act.at_once
    assert "from the next window on" in browser.get("/governance").text
    nudge = hidden(browser.get("/governance/act/nudge").text)
    hostile = nudge | words | {"target": "micro_drift", "log": "0.02"}
    assert browser.post("/governance/preview", hostile).status == 400, "no nudge is at once"


def governance_acts_in_force(sig: Connection) -> list[str]:
    """Names of the acts in force on their first day."""
    return [act.act_id for act in acts_on(sig, "main", next_day(DAY, 2))]


def test_costs_and_credit_of_experts_and_beliefs_are_shown(sig: Connection, browser: AsgiClient) -> None:
    """Numbers of a Monday, with states in words; the same rows by the API."""
    write_costs(sig, "main", DAY, [ExpertCost("rare_book", "s", 3, 120.0, 80.0, 100.0, 150.0, 31)])
    credit = ExpertCredit("", "", "rare_book", True, 0.3, 9, 5, 0.1, 2.5, -1.0, 6.0, 2.0, 1.0, 1.5, 0.5)
    write_expert_credit(sig, "main", DAY, [credit])
    write_braid_credit(sig, "main", DAY, [BraidCredit("micro_drift", "b" * 32, 7, 5, 0.02, 3.25, 1.0, 5.5, 3.0, 0.2)])
    (expert,) = browser.get("/api/v1/compute").json()["rows"]
    assert (expert["expert_id"], expert["state"], expert["cost_ns"], expert["delta_value"]) == (
        "rare_book", "votes", 120.0, 2.5
    )  # fmt: skip
    assert browser.get("/api/v1/compute?state=idle").json()["rows"] == []
    (belief,) = browser.get("/api/v1/braid_credit?detector_id=micro_drift").json()["rows"]
    assert (belief["braid_id"], belief["delta_value"], belief["shapley"]) == ("b" * 32, 3.25, 3.0)
    assert "No quota: nobody is idle" in browser.get("/compute").text
    assert f"/braids/{'b' * 32}" in browser.get("/braid_credit").text
