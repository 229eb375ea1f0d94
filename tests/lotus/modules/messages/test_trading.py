"""Messages about trades: their bytes, messages of the release before, and the parts that handlers take."""

import hashlib
from typing import Any

import pytest

from lotus.modules.envelope import Message, RefusedError, seal
from lotus.modules.intents import Module
from lotus.modules.messages.catalogue import decoded
from lotus.modules.messages.trading import (
    DmDecision,
    ExecReport,
    PlanReference,
    SafetyAlert,
    TriggerEval,
    decision_message,
    report_message,
    safety_message,
    trigger_message,
)

NAME = "a" * 32
PROBE: dict[str, Any] = {"asset": "BTC", "side": -1, "exit_at_ms": 9, "event_id": NAME}


def decision(kind: Any, targets: list[dict[str, Any]]) -> DmDecision:
    return DmDecision(
        branch="main", decision_id=NAME, kind=kind, time_ms=10, valid_until_ms=20, targets=targets, ticket={"t": 1}
    )


def report(reference: PlanReference) -> ExecReport:
    return ExecReport(
        branch="main", decision_id=NAME, plan_id="d" * 32, kind="probe", outcome="refused", asset="BTC", venue="local",
        time_ms=12, payoff_bps=0.0, pnl_usd=-1.5, refusals=["x"], reference=reference, report={},
    )  # fmt: skip


BOOK = PlanReference(
    coin="BTC", weight=0.0, held=0.5, min=-1.0, max=1.0, mu_bps=2.5, signals=[], mark=None, context="", horizon_s=300,
    max_slippage_bps=50.0, max_latency_ms=1000, knobs={}, predicted={"f": 1.0}, venue_choice=[{"n": "x"}],
)  # fmt: skip


@pytest.mark.parametrize(
    ("message", "sender", "sha256"),
    [
        (decision_message(decision("book", [{"coin": "BTC", "context": ""}]), "l", "p"), Module.DM, "048b7a0dd2193068"),
        (
            trigger_message(
                TriggerEval(branch="main", decision_id=NAME, asset="BTC", state="armed", time_ms=11, details={"x": 1}),
                "c" * 32, 3, "l", "p",
            ),
            Module.TR, "c89820fcae3d3c5e",
        ),
        (report_message(report(BOOK), "l", "p", 2), Module.TR, "8dd3c38fd092339c"),
        (
            safety_message(SafetyAlert(branch="main", time_ms=5, kind="k", found="f", expected="e", done="d")),
            Module.TR, "f0722cb9a0552691",
        ),
    ],
)  # fmt: skip
def test_the_bytes_of_a_message_stay(message: Message, sender: Module, sha256: str) -> None:
    assert hashlib.sha256(seal(message, sender, 1, "rel").to_json().encode()).hexdigest()[:16] == sha256


def test_a_report_of_the_release_before_still_decodes() -> None:
    message = report_message(report(BOOK), "l", "p")
    older = {name: value for name, value in message.payload.items() if name != "void"}
    older["reference"] = older["reference"] | {"a member that went": 1}
    assert decoded(message.schema_ref, older) == report(BOOK)


def test_targets_and_references_are_typed_where_they_are_used() -> None:
    (window,) = decision("probe", [PROBE | {"more": 1}]).windows()
    assert (window.side, window.event_id) == (-1, NAME)
    assert decision("book", [{"coin": "BTC", "context": "4", "weight": 0.5}]).contexts() == {"BTC": "4"}
    for broken in (PROBE | {"side": 0}, {"asset": "BTC"}):
        with pytest.raises(RefusedError, match="no WindowTarget") as refused:
            decision("probe", [broken]).windows()
        assert refused.value.reason == "bad_payload"
    assert report(BOOK).limits().max_latency_ms == 1000.0
    with pytest.raises(RefusedError, match="event_id"):
        report(BOOK).window()
