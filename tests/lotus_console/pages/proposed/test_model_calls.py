"""Calls of a model on their page: what is spent, what is open, why proposals were refused."""

from dataclasses import replace

from sown import put

from lotus_console.pages.proposed.model_calls import MODEL_CALLS
from lotus_console.reading import HomeReading
from lotus_store.databases import Connection
from lotus_store.ledger.llm_calls import StoredRefusal, put_refusals
from lotus_store.settings.llm import LlmSettings
from tests.hostile.console_attacks import MARKUP
from tests.support.asgi_client import AsgiClient


def test_without_a_model_the_page_says_so(reading: HomeReading, browser: AsgiClient) -> None:
    answer = MODEL_CALLS.source(reading, MODEL_CALLS.asked({}))
    assert (answer.rows, answer.title, answer.note) == ([], "No model is asked", "No proposal was refused.")
    assert "lotus llm check" in browser.get("/model_calls").text


def test_calls_budget_and_refusals(reading: HomeReading, sig: Connection, browser: AsgiClient) -> None:
    for k, usd in enumerate((None, 250_000)):
        put(sig, "llm_budget", request_hash=f"q{k}", worst_tokens=100, worst_micro_usd=500_000, micro_usd=usd,
            tokens=usd and 40, settled_at=usd and "2030-01-01")  # fmt: skip
    put(sig, "llm_calls", call_id="c", branch="main", mode="live", model=MARKUP[0], verdict="slow", micro_usd=250_000)
    put_refusals(sig, "main", "r", "2026-01-20", [StoredRefusal("q", k, "json", "x") for k in range(3)])
    asked = replace(reading, settings=replace(reading.settings, llm=LlmSettings("live", model="m", usd_month=2.0)))
    answer = MODEL_CALLS.source(asked, MODEL_CALLS.asked({"verdict": "slow"}))
    assert answer.title.startswith("m (live): 0.7500 of 2 USD this month, 140 of 200,000 tokens today")
    assert "1 reservations are open" in answer.title
    assert answer.note == "Refused in thirty nights: json 3."
    assert [(row["verdict"], row["usd"]) for row in answer.rows] == [("slow", 0.25)]
    assert MARKUP[0] not in browser.get("/model_calls").text
    assert browser.get("/model_calls?mode=off").status == 400
