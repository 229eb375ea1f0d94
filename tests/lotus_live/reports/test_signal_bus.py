"""The signal bus: what the daemon publishes is valid, is made again from the batch's rows, and nothing else leaves."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from published import BRAIDS, EXPERTS, SPEC, TABLES, by_name, rebuilt
from tapes import MANIFEST, UNIVERSE, in_order, market, numbered, write

from lotus.detectors.meta_signals import asymmetry_of
from lotus.detectors.scoring.scored import Columns
from lotus.detectors.scoring.signal_facts import facts_of, payloads_of, published_rows, spec_of
from lotus.errors import BeliefError, SchemaError
from lotus.modules.signals import ASYMMETRY, DET_ALPHA, META, SIGBUS, SIGNAL_SCHEMAS, Payload, check_signal
from lotus.priors.types import priors_0, priors_version
from lotus.priors.vocabulary import N_BINS
from lotus_live.live import run_live
from lotus_live.parity import neutral_beliefs
from lotus_live.pipeline.batch import score_tape
from lotus_live.pipeline.beliefs import KnownTables, LedgerBeliefs
from lotus_live.pipeline.lines import FixedBeliefs
from lotus_live.reports import signal_bus
from lotus_live.reports.signal_bus import SignalBus
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger.signals.live_log import read_log
from lotus_store.ledger.signals.signals import read_signals

DAY = "2026-03-04"
VERSION = priors_version("main", 1, BRAIDS)
Lines = list[tuple[int, bytes]]


@pytest.fixture(scope="module")
def lines() -> Lines:
    """Twelve minutes of three assets."""
    return in_order(market(DAY, "09:00", 720, step_ms=500, seed=11))


@pytest.fixture(scope="module")
def events(lines: Lines) -> Columns:
    """Their events in batch, under priors whose braids fire everywhere."""
    (day,) = score_tape(numbered(lines), SPEC, neutral_beliefs(SPEC, [priors_0("main"), VERSION]))
    return day.events


def test_a_payload_tells_what_decided_the_window(events: Columns) -> None:
    beliefs = LedgerBeliefs(SPEC, [priors_0("main"), VERSION])
    out = SignalBus(SPEC, beliefs).publish(events)
    assert not out.refused
    assert by_name(list(out.signals)) == rebuilt(events, VERSION)
    rows = {row["event_id"]: row for row in published_rows(events)}
    for signal in out.signals:
        payload, row = json.loads(signal.payload), rows[signal.event_id]
        assert payload["provenance"]["close_recv_ns"] == str(row["close_recv_ns"])
        if signal.schema_ver == SIGBUS:
            assert payload["direction"] * payload["strength"] == payload["signal"] == row["s"]
            assert payload["publication"]["draw"] < payload["publication"]["pi"]
            gates = payload["eligibility"]["gates"]
            assert all(gate["passed"] for gate in gates.values())
            assert gates["det_kairos"]["value"] >= gates["det_kairos"]["threshold"] == MANIFEST.score.tau_kairos
            (mine,) = [b.braid_id for b in BRAIDS if b.detector_id == row["detector_id"]]
            assert payload["braids_fired"] == [mine]
        if signal.schema_ver == META:
            assert set(payload["ms_asym_absent"]) == set(ASYMMETRY) - {"Z_W"}, "no edges yet, but a calendar"
            assert payload["ms_asym_score"] is None


def test_a_signal_names_what_its_braids_claim_and_without_a_claim_nothing(events: Columns) -> None:
    claims_bps = {BRAIDS[0].braid_id: 1.25}
    beliefs = LedgerBeliefs(SPEC, [priors_0("main"), VERSION], claims_bps=claims_bps)
    signals = by_name(list(SignalBus(SPEC, beliefs).publish(events).signals))
    assert signals == rebuilt(events, VERSION, claims_bps=claims_bps)
    plain = rebuilt(events, VERSION)
    claimed = {name for name, text in signals.items() if text != plain[name]}
    assert claimed == {
        name
        for name, text in signals.items()
        if name[1] == DET_ALPHA and json.loads(text)["detector_id"] == BRAIDS[0].detector_id
    }
    for name in claimed:
        claim = {"braid_id": BRAIDS[0].braid_id, "claim_bps": 1.25, "level": 0}
        assert json.loads(signals[name])["claims"] == [claim]


def test_a_record_holds_the_gate_that_its_propensity_needs(lines: Lines, events: Columns) -> None:
    """What is recomputed from a record is what was drawn with; without a gate it says nothing of one."""
    gated = tuple(replace(b, level=1, patch=replace(b.patch, gate=1.25)) for b in BRAIDS)
    version = priors_version("main", 1, gated)
    (day,) = score_tape(numbered(lines), SPEC, neutral_beliefs(SPEC, [priors_0("main"), version]))
    for scored, priors, wanted in ((events, VERSION, False), (day.events, version, True)):
        records = [json.loads(text) for (_, ver), text in rebuilt(scored, priors).items() if ver == SIGBUS]
        drawn = [record["publication"] for record in records]
        assert len(drawn) > 20
        assert {"gate" in p for p in drawn} == {wanted}
        for p in drawn:
            z = (p["ln_sigma"] - np.log(p["tau_pub"])) / p["temperature"] + p.get("gate", 0.0)
            floor = 0.05 if wanted else MANIFEST.score.epsilon
            assert p["pi"] == pytest.approx(np.clip(1.0 / (1.0 + np.exp(-z)), floor, 1.0 - floor), abs=1e-12)
            assert not wanted or p["u"] - p["u0"] > 0.25


def test_a_signal_carries_the_entry_that_its_detector_proposes_for_its_side(events: Columns) -> None:
    spec = replace(SPEC, detectors=tuple(replace(d, triggers=((1, "mid > 1usd"),)) for d in SPEC.detectors))
    beliefs = LedgerBeliefs(spec, [priors_0("main"), VERSION])
    sent = [
        json.loads(x.payload) for x in SignalBus(spec, beliefs).publish(events).signals if x.schema_ver == DET_ALPHA
    ]
    assert {x["direction"] for x in sent} == {1, -1}
    for payload in sent:
        assert payload["suggested_triggers"] == (["mid > 1usd"] if payload["direction"] == 1 else [])


def test_a_silent_or_vetoed_window_has_a_record_but_no_place_on_the_bus(events: Columns) -> None:
    everything = {**events, "published": np.ones(len(events["s"]), bool)}
    records = 0
    for row, really in zip(published_rows(everything), events["published"].tolist(), strict=True):
        facts = facts_of(row, spec_of(row, SPEC.detectors), MANIFEST, VERSION, TABLES, EXPERTS)
        record = check_signal(signal_bus.payloads_of({**row, "published": really}, facts)[0])
        assert record["eligibility"]["publish"] is (not record["eligibility"]["vetoes"])
        failed = {name for name, gate in record["eligibility"]["gates"].items() if not gate["passed"]}
        assert (row["veto"] & (4 | 8 | 16 | 32) == 0) == (not failed)
        records += 1
    assert records == len(events["s"]) > 5 * int(events["published"].sum())


def test_an_invalid_payload_is_never_sent_but_counted_and_logged(
    settings: Settings, databases: Databases, lines: Lines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def doctored(row: Any, facts: Any) -> list[Payload]:
        made = payloads_of(row, facts)
        return [p | {"direction": 1} if p["schema_ver"] == META else p for p in made]

    monkeypatch.setattr(signal_bus, "payloads_of", doctored)
    recording = write(tmp_path / "tape.txt", lines)
    result = run_live(settings, [recording], run_id="sick", databases=databases)
    with databases.connect("sig") as connection:
        stored = read_signals(connection, "sick")
        refused = [e for e in read_log(connection, "sick") if e.kind == "signal_refused"]
    assert {row.schema_ver for row in stored} == set(SIGNAL_SCHEMAS) - {META}
    assert result.status["signals"] == {"written": len(stored), "refused": len(refused)}
    assert len(refused) == result.status["published"] > 0
    for entry in refused:
        assert entry.body["schema_ver"] == META
        assert "direction" in entry.body["reason"]


def test_a_row_that_nobody_can_explain_is_refused_whole(events: Columns) -> None:
    out = SignalBus(SPEC, LedgerBeliefs(SPEC, [priors_0("main")])).publish(events)
    published = int(events["published"].sum())
    assert not out.signals
    assert len(out.refused) == len({e.seq for e in out.refused}) == published * len(SIGNAL_SCHEMAS)
    retired = replace(SPEC, detectors=tuple(replace(d, version=99) for d in SPEC.detectors))
    assert not SignalBus(retired, LedgerBeliefs(SPEC, [VERSION])).publish(events).signals
    strange = {**events, "tables_ver": np.full(len(events["s"]), "x", dtype=object)}
    assert not SignalBus(SPEC, LedgerBeliefs(SPEC, [VERSION])).publish(strange).signals
    broken = {**events, "det_sigma": np.full(len(events["s"]), np.nan)}
    out = SignalBus(SPEC, LedgerBeliefs(SPEC, [VERSION])).publish(broken)
    assert {json.loads(s.payload)["schema_ver"] for s in out.signals} == {META}
    assert all("data.det_sigma" in e.body["reason"] for e in out.refused)
    (row, *_) = published_rows(events)
    with pytest.raises(SchemaError, match="has changed since"):
        facts_of(row, replace(spec_of(row, SPEC.detectors), version=99), MANIFEST, VERSION, TABLES, EXPERTS)
    with pytest.raises(BeliefError, match="another version was in force"):
        facts_of(row, spec_of(row, SPEC.detectors), MANIFEST, priors_0("main"), TABLES, EXPERTS)
    with pytest.raises(SchemaError, match="tables of another day"):
        facts_of({**row, "tables_ver": "x"}, spec_of(row, SPEC.detectors), MANIFEST, VERSION, TABLES, EXPERTS)


def test_cues_tell_the_asymmetry_under_the_tables_of_the_row(lines: Lines) -> None:
    outer = [(-1.0, -0.1, 0.1, 1.0)[: n - 1] for n in N_BINS]  # edges of the size of the tape's values
    tables = replace(TABLES, edges=(tuple(outer),) * len(UNIVERSE))
    (day,) = score_tape(numbered(lines), SPEC, FixedBeliefs(tables, (priors_0("main"),)))
    beliefs = LedgerBeliefs(SPEC, [priors_0("main")], {DAY: KnownTables(tables, tables, True)})
    out = SignalBus(SPEC, beliefs).publish(day.events)
    assert not out.refused
    rows = {row["event_id"]: row for row in published_rows(day.events)}
    told = [(json.loads(s.payload), rows[s.event_id]) for s in out.signals if s.schema_ver == META]
    assert len(told) == len(rows) > 0
    for payload, row in told:
        measured, score = asymmetry_of(row, tables)
        assert payload["ms_asym_components"] == dict.fromkeys(ASYMMETRY, 0.0) | measured
        assert set(payload["ms_asym_absent"]) == set(ASYMMETRY) - set(measured)
        assert payload["ms_asym_score"] == score
    assert max(payload["ms_asym_score"] for payload, _ in told) > 0.2
    unknown = SignalBus(SPEC, LedgerBeliefs(SPEC, [priors_0("main")])).publish(day.events)
    assert not unknown.signals
    assert all("tables" in entry.body["reason"] for entry in unknown.refused)
