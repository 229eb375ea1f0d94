"""`lotus_console/pages/detectors.py`: cards as stored, shipped detectors without any, verdicts by interval."""

import math

import pytest
from sown import DAY, columns_of, put, put_window

from lotus.detectors.audits.table import DETECTOR_AUDITS
from lotus.detectors.cards.card_table import DETECTOR_CARDS
from lotus.detectors.registry import scored_detectors
from lotus.experts.fusion import default_experts
from lotus.governance.expert_cost import ExpertCost
from lotus.timebase import next_day
from lotus_console.pages.detectors import AUDIT_TABLE, DETECTORS, EXPERTS, detector_facts
from lotus_console.reading import HomeReading
from lotus_console.tables import Answer, Table
from lotus_store.databases import Connection
from lotus_store.facts.cards import WINDOW_STAGES, experts_words, scoring_words
from lotus_store.lake import Lake
from lotus_store.ledger.beliefs.compute import write_costs
from lotus_store.ledger.fixture_bundles import put_cost
from tests.hostile.console_attacks import MARKUP
from tests.support.asgi_client import AsgiClient

CARD = (
    "# micro_drift\n\nAfter 2026-01-05: **earns**.\n\n| day | net |\n|---|---|\n| 2026-01-04 | 1 |\n| 2026-01-05 | 1 |"
)


def rows(reading: HomeReading, table: Table, **asked: str) -> Answer:
    return table.source(reading, table.asked(asked))


def cards(reading: HomeReading, **given: object) -> None:
    many = len(next(value for value in given.values() if isinstance(value, list)))
    plain = {"card": CARD, "stage": "active", "spec_version": 1, "since": DAY} | given
    Lake(reading.settings.lake_root).write(DETECTOR_CARDS, "main", DAY, columns_of(DETECTOR_CARDS, many, **plain))


def test_without_a_committed_day_the_shipped_detectors_are_there(reading: HomeReading, browser: AsgiClient) -> None:
    shipped = scored_detectors(reading.settings.manifest)
    answer = rows(reading, DETECTORS, limit="500")
    assert {row["detector_id"] for row in answer.rows} == {detector.detector_id for detector in shipped}
    assert {row["verdict"] for row in answer.rows} == {"cannot be judged"}
    assert answer.title == "No day is committed"
    facts = detector_facts(reading, {"detector_id": shipped[0].detector_id})
    assert (facts["version"], facts["day"], facts["audits"]) == (shipped[0].version, "", [])
    for place in ("/detectors/none", f"/detectors/{shipped[0].detector_id}?version=99", "/detectors/" + "x" * 4000):
        assert browser.get(place).status == 404, place


def test_a_verdict_follows_the_interval(reading: HomeReading) -> None:
    names, nan = ["basis_shock", "compressed_range", "micro_drift", "retired"], math.nan
    cards(reading, detector_id=names, net_bps=[2.0, -2.0, 0.1, nan], net_low_bps=[1.0, -3.0, -1.0, nan],
          net_high_bps=[3.0, -1.0, 1.2, nan], stage=["active", "active", "active", "archived"])  # fmt: skip
    answer = rows(reading, DETECTORS, order="detector_id")
    found = {row["detector_id"]: row["verdict"] for row in answer.rows}
    assert list(found.values())[:3] == ["earns", "loses", "is undecided"]
    assert answer.title == f"4 detectors after {DAY}, 1 lose"
    assert [row["idea"] for row in rows(reading, DETECTORS, stage="archived").rows] == [""], "no longer shipped"


def test_versions_audits_and_nights_of_one_detector(reading: HomeReading, sig: Connection) -> None:
    cards(reading, detector_id=["micro_drift"] * 2, spec_version=[1, 2], card=[CARD, CARD.replace("earns", "loses")])
    audits = columns_of(DETECTOR_AUDITS, 3, detector_id=["micro_drift", "micro_drift", "basis_shock"], spec_version=2,
                        audit=["peek", "noise", "peek"], kind="leakage", passed=[True, False, True])  # fmt: skip
    Lake(reading.settings.lake_root).write(DETECTOR_AUDITS, "main", DAY, audits)
    night = '{"windows": 90, "published": 9, "rules_searched": 7, "best_m_nats": 1.5, "reason": "short"}'
    put(sig, "experiments", branch="main", day=DAY, kind="detector", name="micro_drift", body=night)
    put(sig, "experiments", branch="main", day=DAY, kind="audit", name="micro_drift", body='{"state": {"alarm": true}}')
    facts = detector_facts(reading, {"detector_id": "micro_drift", "version": "2"})
    assert facts["version"] == 2
    assert set(facts["versions"]) >= {1, 2}
    assert {audit["audit"] for audit in facts["audits"]} == {"peek", "noise"}
    (one,) = facts["nights"]
    assert (one["windows"], one["best_nats"], one["alarm"]) == (90, 1.5, True)
    listed = rows(reading, AUDIT_TABLE)
    assert listed.rows[0]["audit"] == "noise", "what failed comes first"
    assert listed.title == f"1 of 3 audits of {DAY} failed"


def test_a_card_is_shown_as_text_whatever_it_says(reading: HomeReading, browser: AsgiClient) -> None:
    hostile = "\n\n".join(f"{markup}\n\n| {markup} | [x](javascript:alert(1)) |" for markup in MARKUP)
    cards(reading, detector_id=["micro_drift"], card=[CARD + hostile], since=[MARKUP[0]])
    text = browser.get("/detectors/micro_drift?version=1").text + browser.get("/detectors").text
    assert not [markup for markup in MARKUP if "<" in markup and markup in text]
    assert 'href="javascript' not in text


def test_acts_on_a_detector_or_its_coin_stand_on_its_page_and_those_on_others_do_not(
    reading: HomeReading, sig: Connection, browser: AsgiClient
) -> None:
    cards(reading, detector_id=["micro_drift"])
    put(sig, "day_commits", branch="main", day=DAY, stage="active_priors", notes='{"checks": []}')
    act = {"day": DAY, "actor": "ann", "kind": "veto", "value": 0.0, "reason": MARKUP[0], "evidence_ref": ""}
    act |= {"branch": "main", "from_day": next_day(DAY, 2), "until_day": next_day(DAY, 9)}
    for target in ("micro_drift", "@BTC", "micro_drift@ETH", "basis_shock"):
        put(sig, "governance_acts", act_id=f"of {target}", target=target, **act)
    facts = detector_facts(reading, {"detector_id": "micro_drift"})
    assert {act["target"] for act in facts["acts"]} == {"micro_drift", "@BTC", "micro_drift@ETH"}
    assert facts["rung"] == {}
    text = browser.get("/detectors/micro_drift").text
    assert "No Monday has placed it on the ladder yet" in text
    assert "micro_drift@ETH" in text
    assert MARKUP[0] not in text


@pytest.mark.parametrize("status", ["active", "off"])
def test_experts_with_their_newest_weight(reading: HomeReading, sig: Connection, status: str) -> None:
    row = {"expert_id": "e", "spec_id": "s", "status": status, "spec": '{"idea": "what it sees"}', "place": 1}
    put(sig, "dsi_experts", **row, kind="trend", reliability=0.61)
    for day, weight in (("2026-01-04", 0.2), (DAY, 0.7)):
        put(sig, "dsi_expert_stats", branch="main", day=day, expert_id="e", spec_id="s", asset="", weight=weight,
            status_proposed="active")  # fmt: skip
    (shown,) = rows(reading, EXPERTS, status=status).rows
    assert (shown["idea"], shown["weight_in_force"], shown["reliability"]) == ("what it sees", 0.7, 0.61)


def test_the_cost_is_of_the_newest_day_on_which_the_detector_spoke(sig: Connection) -> None:
    assert scoring_words(sig, "main", "d") == "What its scoring costs is not measured yet."
    for k, (day, name) in enumerate([("2026-01-05", "d"), ("2026-01-05", "e"), ("2026-01-06", "e")]):
        put_window(sig, k, day=day, detector_id=name)
        put_cost(sig, "main", day, "signal_events", 3.0, 4.0)
    words = scoring_words(sig, "main", "d")
    assert words.startswith("Scoring took 3.00 CPU seconds on 2026-01-05; its 1 of 2 windows are 1.500 of them")
    assert "The 6 stages over windows took 3.00 (5 of them not measured), its share 1.500." in words
    for stage in WINDOW_STAGES:
        put_cost(sig, "main", "2026-01-05", stage, 3.0, 4.0)
    put_cost(sig, "main", "2026-01-05", "lessons", 99.0, 99.0)
    assert "stages over windows took 18.00, its share 9.000." in scoring_words(sig, "main", "d")


def test_experts_that_vote_are_what_a_detector_reads(sig: Connection) -> None:
    assert "is not measured" in experts_words(sig, "main", 4)
    experts = default_experts()
    voters = [e for e in experts.experts if experts.fusion.voices[e.expert_id].status == "active"]
    others = [e for e in experts.experts if e not in voters]
    one, many = (1, 10.0, 0.0, 0.0, 0.0, 31), (1, 1e6, 0.0, 0.0, 0.0, 31)
    costs = [ExpertCost(e.expert_id, e.spec_id, *one) for e in voters[1:]]
    costs += [ExpertCost(e.expert_id, e.spec_id, *many) for e in others]
    write_costs(sig, "main", DAY, [*costs, ExpertCost(voters[0].expert_id, "of another version", *many)])
    total = 10 * (len(voters) - 1)
    words = experts_words(sig, "main", 4)
    assert words.startswith(
        f"The {len(voters)} micro-experts that it reads cost {total} ns a frame of one coin (1 of them"
    )
    assert words.endswith(f"measured on {DAY}; shared by 4 detectors, its part is {total / 4:.0f} ns.")
    act = {"day": "2026-01-01", "actor": "allocator", "kind": "off", "target": voters[1].expert_id, "reason": "r"}
    put(sig, "governance_acts", act_id="a", branch="main", value=0.0, evidence_ref="e", from_day="2026-01-03",
        until_day="2026-01-30", **act)  # fmt: skip
    assert f"The {len(voters) - 1} micro-experts that it reads cost {total - 10} ns" in experts_words(sig, "main", 4)
