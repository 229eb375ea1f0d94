"""Who watches, in the brief: each line names what it is about, and is green without anything to name."""

from dataclasses import dataclass, replace

import pytest

from lotus.detectors.cards.lifecycle import Life, StageTransition
from lotus.timebase import day_start_ms
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.facts.brief.line import BriefLine
from lotus_store.facts.brief.watched import SHOWN, lives_line, queue_line, runs_line, watch_lines
from lotus_store.ledger.curation_queue import QueuedAlert, put_alert

DAY = "2026-03-04"
DRIFT = QueuedAlert("a1", "main", day_start_ms("2026-03-05"), "drift_data", "BTC oi", "7", "1", "warn", "")
FAILED = replace(DRIFT, alert_id="a2", kind="run_failed", subject="nightly", found="no_look_ahead", severity="error")


LIFE = Life(
    "drift",
    1,
    (
        StageTransition("2026-01-05", "", "experimental", "first seen"),
        StageTransition("2026-01-20", "experimental", "active", "sq_score 0.4"),
        StageTransition(DAY, "active", "deprecated", "failed audit label_bleed"),
    ),
)


@dataclass(frozen=True, slots=True)
class Case:
    """A line and the colour and words that it must have."""

    line: BriefLine
    colour: str
    words: str


@pytest.mark.parametrize(
    "case",
    [
        Case(runs_line([]), "good", "yes"),
        Case(runs_line([DAY, "2026-03-05"]), "act", "2026-03-04 to 2026-03-05 on tape and not learned"),
        Case(lives_line([LIFE], DAY), "look", "drift is deprecated and was active: failed audit label_bleed"),
        Case(lives_line([LIFE], "2026-01-05"), "good", "drift is experimental: first seen"),
        Case(lives_line([LIFE], "2026-03-05"), "good", "no"),
        Case(queue_line([]), "good", "no"),
        Case(queue_line([DRIFT, replace(DRIFT, alert_id="b")]), "look", "drift_data BTC oi (2 times): found 7"),
        Case(queue_line([DRIFT, FAILED]), "act", "run_failed nightly: found no_look_ahead; expected 1; drift_data"),
        Case(queue_line([replace(DRIFT, subject=f"c{k}") for k in range(SHOWN + 2)]), "look", "; and 2 more"),
    ],
)
def test_a_line_names_what_it_is_about(case: Case) -> None:
    assert case.line.colour == case.colour
    assert case.words in case.line.answer


def test_alarms_of_a_night_are_read_and_not_those_of_another(databases: Databases, settings: Settings) -> None:
    with databases.connect("sig") as sig:
        put_alert(sig, DRIFT, "e1")
        put_alert(sig, replace(FAILED, time_ms=day_start_ms("2026-03-09")), "e2")
        runs, queue, ended, lives, experts = watch_lines(settings, sig, DAY, False)
        newest = watch_lines(settings, sig, DAY, True)[1]
        before = watch_lines(settings, sig, "2026-03-02", False)
    assert {line.colour for line in (runs, ended, lives, experts)} == {"good"}
    assert queue.colour == "look"
    assert "run_failed" not in queue.answer
    assert "run_failed" in newest.answer
    assert {line.colour for line in before} == {"good"}
