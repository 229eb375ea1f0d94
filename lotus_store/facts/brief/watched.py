"""Lines of the brief about who watches: nightly runs that did not end, alarms, lives that changed.

Each names what it is about: the stage, the series, the belief, the detector. What acts hold back is told by `governed`.
"""

from collections.abc import Sequence
from itertools import groupby

from lotus.detectors.cards.card_table import DETECTOR_CARDS, lives_of
from lotus.detectors.cards.lifecycle import Life, LifecycleStage
from lotus.timebase import DAY_MS, day_start_ms
from lotus.weave.braid import Braid
from lotus_store.config import Settings
from lotus_store.databases import Connection
from lotus_store.facts.brief.experts import experts_line
from lotus_store.facts.brief.line import BriefLine, Colour
from lotus_store.facts.words import day_ranges
from lotus_store.lake import Lake
from lotus_store.ledger.beliefs.braids import read_registry
from lotus_store.ledger.beliefs.compute import newest_costs
from lotus_store.ledger.beliefs.expert_credit import newest_credit
from lotus_store.ledger.curation_queue import QueuedAlert, newest_alerts
from lotus_store.tape.store import TapeStore

SHOWN = 5  # alarms or beliefs that a line names
READ = 200  # newest alarms that are looked through
ERROR = "error"


def watch_lines(settings: Settings, sig: Connection, day: str, is_newest: bool) -> tuple[BriefLine, ...]:
    """Return the lines after the nightly run of `day`: alarms of the day and the night after it, and up to now where
    no later run is.
    """
    start = day_start_ms(day)
    end = float("inf") if is_newest else start + 2 * DAY_MS
    alarms = [a for a in newest_alerts(sig, settings.branch, READ) if start <= a.time_ms < end]
    behind = (
        [d for d in TapeStore(settings.home, settings.tape, settings.segments_url).days() if d > day][:-1]
        if is_newest
        else []
    )
    ended = [b for b in read_registry(sig, settings.branch, day) if b.ended_on == day]
    return (
        runs_line(behind),
        queue_line(alarms),
        ended_line(ended),
        lives_line(_lives(settings, day), day),
        experts_line(newest_costs(sig, settings.branch, day), newest_credit(sig, settings.branch, day)),
    )


def _lives(settings: Settings, day: str) -> list[Life]:
    lake = Lake(settings.lake_root)
    if not lake.exists(DETECTOR_CARDS.name, settings.branch, day):
        return []
    columns = ("detector_id", "spec_version", "life")
    return lives_of(lake.read(DETECTOR_CARDS.name, settings.branch, day, columns=columns))


def runs_line(behind: Sequence[str]) -> BriefLine:
    """Tell which days are over (a later one is on tape) and were not learned."""
    answer = f"no: {day_ranges(list(behind))} on tape and not learned" if behind else "yes"
    return BriefLine(Colour.ACT if behind else Colour.GOOD, "Did every nightly run end?", answer, "lotus up")


def queue_line(alarms: Sequence[QueuedAlert]) -> BriefLine:
    """Tell what monitors, promises and failed runs cried, newest first, each subject once."""
    question, command = "Did monitors alarm?", 'lotus sql "SELECT * FROM sig.curation_queue"'
    if not alarms:
        return BriefLine(Colour.GOOD, question, "no", command)
    newest = sorted(alarms, key=lambda a: -a.time_ms)
    ordered = sorted(newest, key=lambda a: (a.kind, a.subject))
    groups = [list(group) for _, group in groupby(ordered, key=lambda a: (a.kind, a.subject))]
    groups.sort(key=lambda group: (group[0].severity != ERROR, -group[0].time_ms))
    parts = [
        f"{group[0].kind} {group[0].subject}"
        + (f" ({len(group)} times)" if len(group) > 1 else "")
        + f": found {group[0].found}; expected {group[0].expected}"
        for group in groups
    ]
    is_urgent = any(a.severity == ERROR for a in alarms)
    return BriefLine(Colour.ACT if is_urgent else Colour.LOOK, question, _shown(parts), command)


def ended_line(ended: Sequence[Braid]) -> BriefLine:
    """Tell which beliefs lost their patch in the nightly run, and why."""
    parts = [f"{b.detector_id} ({b.braid_id[:8]}): {b.reason}" for b in ended]
    colour = Colour.LOOK if ended else Colour.GOOD
    return BriefLine(colour, "Did a belief end?", _shown(parts) or "no", "lotus lessons")


def lives_line(lives: Sequence[Life], day: str) -> BriefLine:
    """Tell which detectors changed their stage of life on a day, and by what; an active one that ends is to look at."""
    changes = [(life.detector_id, change) for life in lives for change in life.changes if change.day == day]
    changes.sort(key=lambda item: item[1].old != LifecycleStage.ACTIVE)
    parts = [f"{name} is {x.new}{f' and was {x.old}' if x.old else ''}: {x.reason}" for name, x in changes]
    is_loss = any(change.old == LifecycleStage.ACTIVE for _, change in changes)
    colour = Colour.LOOK if is_loss else Colour.GOOD
    return BriefLine(colour, "Did a detector change its stage?", _shown(parts) or "no", "lotus detector list")


def _shown(parts: Sequence[str]) -> str:
    more = f"; and {len(parts) - SHOWN} more" if len(parts) > SHOWN else ""
    return "; ".join(parts[:SHOWN]) + more
