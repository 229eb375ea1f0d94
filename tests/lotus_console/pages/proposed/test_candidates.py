"""Candidates on their page: charged, decided, with opinions; what a person or a model wrote is shown as text."""

from typing import Any

from sown import put

from lotus_console.pages.proposed.candidates import CANDIDATES, candidate_facts
from lotus_console.reading import HomeReading
from lotus_store.databases import Connection
from lotus_store.ledger.texts import MODEL, PERSON, attach
from tests.hostile.console_attacks import MARKUP
from tests.support.asgi_client import AsgiClient

BODY = (
    '{"expression": "sign(flow)", "side": -1, "horizon_s": 30, "t": 2.5, "nodes": 3, "depth": 2, "folds": [1.0, 0.5],'
    ' "daily_bps": [1.5, -0.5], "spec": "signal: x", "found_as": "flow"}'
)


def put_candidate(sig: Connection, name: str, number: int, known: str | None, **life: Any) -> None:
    """Put a candidate that was charged and looked at."""
    row = {"branch": "main", "night": "2026-01-20", "run": "r"}
    trial: dict[str, Any] = {"number": number, "operator": "llm" if known is not None else "grow", "horizon_s": 30}
    trial |= {"expression": "sign(flow)", "parents": "[]", "origin": "breed" if known is None else "llm"}
    put(sig, "candidate_trials", candidate_id=name, knows_until=known, **row, **trial)
    put(sig, "candidate_life", candidate_id=name, state="proposed", check_name="t", value=2.5, body=BODY, **row)
    decided = {"state": "refused", "check_name": "bar", "value": 3.1, "bound": 6.2, "reason": "below ln N"} | life
    put(sig, "candidate_life", candidate_id=name, body="{}", **row, **decided)


def test_an_empty_home_says_how_to_begin(reading: HomeReading, browser: AsgiClient) -> None:
    answer = CANDIDATES.source(reading, CANDIDATES.asked({}))
    assert (answer.rows, answer.title) == ([], "No candidate was ever tried")
    assert "lotus breed" in browser.get("/candidates").text
    for place in ("/candidates/none", "/candidates/" + "x" * 4000):
        assert browser.get(place).status == 404


def test_a_candidate_shows_its_charge_its_life_and_opinions_as_text(
    reading: HomeReading, sig: Connection, browser: AsgiClient
) -> None:
    put_candidate(sig, "a" * 32, 1, None)
    put_candidate(sig, "b" * 32, 2, "", state="screened", reason=MARKUP[0])
    attach(sig, "main", "b" * 32, PERSON, MARKUP[1], MARKUP[0])
    attach(sig, "main", "b" * 32, MODEL, "m-1", "T is 2.50.")
    day = {
        "day": "2026-01-22",
        "gain_bps": 3.25,
        "weight": 40.0,
        "variance": 1.0,
        "e_value": 1.25,
        "peak": 1.5,
        "days": 1,
    }
    put(sig, "candidate_days", branch="main", candidate_id="b" * 32, sums="[]", state="shadow", **day)
    config = '{"run": "r"}'
    put(sig, "experiment_runs", run_id="e", branch="main", kind="breed", config=config)
    put(sig, "experiment_results", run_id="e", status="ok", metrics='{"n_before": 0, "n_after": 2, "bar": 0.69}')
    rows = CANDIDATES.source(reading, CANDIDATES.asked({"order": "number"})).rows
    assert [(row["number"], row["state"], row["memory"]) for row in rows] == [
        (1, "refused", ""), (2, "screened", "not known until when: never settles"),
    ]  # fmt: skip
    assert {row["expression"] for row in rows} == {"-(sign(flow))"}
    facts = candidate_facts(reading, {"candidate_id": "b" * 32})
    step = {"check_name": "total", "value": -3.0, "bound": 0.0, "reason": "its days give nothing", "day": "2026-12-01"}
    put(sig, "candidate_steps", branch="main", candidate_id="b" * 32, step="archived", **step)
    later = candidate_facts(reading, {"candidate_id": "b" * 32})
    assert later["title"] == "archived: its days give nothing"
    assert [one["state"] for one in later["life"]] == [*(one["state"] for one in facts["life"]), "archived"]
    states = {row["state"] for row in CANDIDATES.source(reading, CANDIDATES.asked({})).rows}
    assert states == {"refused", "archived"}
    assert (facts["run"]["n_before"], facts["run"]["n_after"], facts["charged"]["number"]) == (0, 2, 2)
    assert [one["state"] for one in facts["life"]] == ["proposed", "screened"]
    assert [one["origin"] for one in facts["opinions"]] == ["person", "model"]
    assert [one["e_value"] for one in facts["forward"]] == [1.25]
    page = browser.get(f"/candidates/{'b' * 32}").text
    assert "2026-01-22" in page
    assert "0 before, 2 after" in page
    assert "T is 2.50." in page
    assert not any(text in page for text in MARKUP[:2])
    assert browser.get("/candidates?origin=llm").text.count("/candidates/" + "b" * 32) == 1
    assert browser.get("/api/v1/candidates/" + "a" * 32).json()["memory"] == ""
