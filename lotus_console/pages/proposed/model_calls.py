"""Calls of a model: how each ended and what it cost, what may still be spent, and why its proposals were refused."""

from typing import Any, Final

from lotus.timebase import next_day
from lotus_console.reading import HomeReading
from lotus_console.tables import Answer, Filter, Question, ShownColumn, Table, ValueKind, selected

MODES: Final = ("live", "record", "replay")


def _calls(reading: HomeReading, question: Question) -> Answer:
    rows, has_more = selected(reading, "sig", "model_calls", question, "called_at DESC, call_id")
    for row in rows:
        row["called_at"] = row["called_at"].isoformat()[:19].replace("T", " ")
        row["usd"] = row.pop("micro_usd") / 1e6
    return Answer(rows, has_more, budget_words(reading), _refused_words(reading))


def budget_words(reading: HomeReading) -> str:
    """Return what may be spent and what is, as the sentence of the page."""
    llm, spent = reading.settings.llm, reading.rows("sig", "model_spent")[0]
    if llm.mode == "off" and not spent["ever"]:
        return "No model is asked"
    month, tokens = spent["month_micro_usd"] / 1e6, spent["day_tokens"]
    words = [
        f"{llm.model or 'The model'} ({llm.mode}): {month:.4f} of {llm.usd_month:g} USD this month",
        f"{tokens:,} of {f'{llm.tokens_day:,}' if llm.tokens_day else 'any number of'} tokens today",
        f"at most {llm.calls_run} calls a run",
    ]
    if spent["unsettled"]:
        words.append(f"{spent['unsettled']} reservations are open (`lotus llm budget --release`)")
    return ", ".join(words)


def _refused_words(reading: HomeReading) -> str:
    """Return how often proposals of the newest thirty nights were refused, by reason."""
    newest = reading.rows("sig", "newest_refusal")[0]["night"]
    if newest is None:
        return "No proposal was refused."
    rows: list[dict[str, Any]] = reading.rows("sig", "refusals_since", night=next_day(newest, -30))
    return "Refused in thirty nights: " + ", ".join(f"{row['code']} {row['times']}" for row in rows) + "."


MODEL_CALLS: Final = Table(
    "model_calls", "Model", "What was a model asked, and what did it cost?",
    (
        ShownColumn("called_at", "at", unit="UTC"), ShownColumn("verdict", "ended"),
        ShownColumn("model", "model", about="as it names itself"), ShownColumn("mode", "mode"),
        ShownColumn("tokens_in", "tokens in", ValueKind.COUNT),
        ShownColumn("tokens_out", "tokens out", ValueKind.COUNT),
        ShownColumn("usage_told", "told", ValueKind.FLAG, about="by the server; else counted from bytes"),
        ShownColumn("usd", "cost", ValueKind.NUMBER, "USD"), ShownColumn("took_ms", "took", ValueKind.NUMBER, "ms"),
        ShownColumn("knows_until", "knows until", ValueKind.DAY),
        ShownColumn("request_hash", "request", ValueKind.CODE),
        ShownColumn("run", "run", ValueKind.CODE, is_shown=False),
        ShownColumn("model_asked", "model asked", is_shown=False),
        ShownColumn("call_id", "call", ValueKind.CODE, is_shown=False),
    ),
    _calls, (Filter("verdict", "ended"), Filter("mode", "mode", MODES), Filter("run", "run")),
    empty="no call: with [llm] in lotus.toml `lotus breed` asks a model beside its operators; `lotus llm check` shows "
    "what it would be sent",
    links=(("candidates", "/candidates"),),
)  # fmt: skip
