"""What `lotus explain` tells, read from the ledger, the lake and the tape. Nothing is decided or changed here."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lotus.curation.act import CurationAct
from lotus.curation.in_force import expert_states
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.explain import Explanation, explain_event
from lotus.detectors.scoring.signal_spec import SIGNAL_EVENTS
from lotus.detectors.spec import DetectorSpec
from lotus.errors import LedgerError
from lotus.experts.weekly.learned import in_force_on, set_of_day
from lotus.learning.lesson import Lesson
from lotus.learning.payoff_scores import bins_of
from lotus.manifest import Manifest
from lotus.priors.asset_context import is_about_asset
from lotus.priors.compiled import fired_braids
from lotus.priors.segment_context import rule_words
from lotus.priors.trace import describe_braid
from lotus.priors.types import ActiveBraid, PriorsVersion
from lotus.priors.vocabulary import BIN_COLUMNS, DEFAULT, rule_mask
from lotus.progress.steps import Steps, untold
from lotus.timebase import day_of
from lotus_store.asset_context import AT_COLUMNS, with_asset_bins
from lotus_store.config import Settings, load_settings
from lotus_store.databases import Connection, Databases
from lotus_store.day_tables import served_tables
from lotus_store.facts.braids import trust_facts
from lotus_store.facts.claims import claims_story, fired_in
from lotus_store.facts.execution import execution_story, window_behind
from lotus_store.facts.raw_lines import tape_lines
from lotus_store.facts.words import clock
from lotus_store.lake import Lake
from lotus_store.ledger.beliefs.acts import acts_on
from lotus_store.ledger.beliefs.braids import read_braid
from lotus_store.ledger.beliefs.detector_sets import detectors_on
from lotus_store.ledger.beliefs.expert_sets import read_expert_sets
from lotus_store.ledger.beliefs.lessons import read_lesson
from lotus_store.ledger.beliefs.priors import read_version
from lotus_store.ledger.beliefs.trust import trust_before
from lotus_store.ledger.signals.events import read_eval, read_event

_MASK = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that is reported of one event."""

    event: dict[str, Any]
    when: str
    explanation: Explanation
    beliefs: list[dict[str, Any]]
    experts: dict[str, str]
    outcome: dict[str, Any] | None
    execution: dict[str, Any] | None
    frames: dict[str, Any]
    claims: dict[str, Any] | None

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        steps = [
            {
                "section": s.section,
                "name": s.name,
                "value": s.value,
                "stored": s.stored,
                "exact": s.exact,
                "text": s.text,
            }
            for s in self.explanation.steps
        ]
        return {
            "event": self.event,
            "exact": self.explanation.exact,
            "context": self.explanation.context,
            "vetoes": self.explanation.vetoes,
            "steps": steps,
            "beliefs": self.beliefs,
            "experts": self.experts,
            "outcome": self.outcome,
            "execution": self.execution,
            "frames": self.frames,
            "claims": self.claims,
        }


@dataclass(frozen=True, slots=True)
class Explained:
    """One window with its numbers computed again: its row of the lake, the version it was scored under and the
    manifest of its branch.
    """

    event: dict[str, Any]
    version: PriorsVersion
    manifest: Manifest
    explanation: Explanation

    @property
    def fired(self) -> list[ActiveBraid]:
        """The braids that fired in it."""
        return fired_braids(self.version, str(self.event["detector_id"]), int(self.event["fired"]))


def explained(settings: Settings, databases: Databases, event_id: str) -> Explained:
    """Compute the numbers of an event again, without what taught its beliefs; raises as `story_of`.

    The row is the ledger's copy, so that one window does not cost the reading of its day.
    """
    lake = Lake(settings.lake_root)
    with databases.connect("sig") as sig:
        event = of_ledger(read_event(sig, event_id))
        branch, day = str(event["branch"]), str(event["day"])
        version = read_version(sig, branch, str(event["priors_ver"]))
        acts, manifest = acts_on(sig, branch, day), _manifest(settings, branch)
        detectors = detectors_on(sig, branch, day, manifest)
    return Explained(event, version, manifest, _explanation(lake, event, day, version, manifest, detectors, acts))


def of_ledger(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of the ledger's copy of SIGNAL_EVENTS as the lake has it: unsigned masks, a gate of 0 for none."""
    masks = {name: int(row[name]) & _MASK for name in ("fired", "cond_key")}
    return {**row, **masks, "gate": 0.0 if row["gate"] is None else row["gate"]}


def _explanation(
    lake: Lake,
    event: Mapping[str, Any],
    day: str,
    version: PriorsVersion,
    manifest: Manifest,
    detectors: Sequence[DetectorSpec],
    acts: Sequence[CurationAct],
) -> Explanation:
    tables = event_tables(lake, event, day, manifest, detectors, acts)
    detector = next(d for d in detectors if d.detector_id == event["detector_id"])
    return explain_event(event, tables, version, manifest, detector)


def story_of(settings: Settings, databases: Databases, name: str, progress: Steps = untold) -> Story:
    """Gather the story of an event, or of the event behind a fill, order or plan.

    Raises `LedgerError` for an unknown name and `LakeError` when its day left the lake.
    """
    lake = Lake(settings.lake_root)
    progress("reading the ledger", 0)
    with databases.connect("sig") as sig:
        event_id = window_behind(databases, name)
        execution = execution_story(databases, event_id)
        branch, day = _place(sig, event_id)
        event = _lake_row(lake, branch, day, event_id)
        version = read_version(sig, branch, str(event["priors_ver"]))
        fired = fired_braids(version, str(event["detector_id"]), int(event["fired"]))
        progress("reading the days that taught it", 0)
        manifest = _manifest(settings, branch)
        beliefs = [_belief(sig, lake, manifest, version, b) for b in fired if b.braid_type != "field"]
        experts = _experts(sig, branch, day_of(int(event["window_start_ms"])))
        outcome = read_eval(sig, event_id)
        claims = claims_story(databases, event, fired_in(sig, version, event))
        acts, detectors = acts_on(sig, branch, day), detectors_on(sig, branch, day, manifest)
    progress("computing every number again", 0)
    explanation = _explanation(lake, event, day, version, manifest, detectors, acts)
    progress("looking for its lines of tape", 0)
    when = clock(int(event["window_end_ms"]))
    frames = tape_lines(settings, lake, branch, event)
    return Story(
        event=event,
        when=when,
        explanation=explanation,
        beliefs=beliefs,
        experts=experts,
        outcome=outcome,
        execution=execution,
        frames=frames,
        claims=claims,
    )


def _manifest(settings: Settings, branch: str) -> Manifest:
    """Return the manifest that the branch was begun with, which may differ from that of the default branch."""
    return load_settings(home=settings.home, config=settings.config, branch=branch).manifest


def _place(sig: Connection, event_id: str) -> tuple[str, str]:
    event = read_event(sig, event_id)
    return str(event["branch"]), str(event["day"])


def event_tables(
    lake: Lake,
    event: Mapping[str, Any],
    day: str,
    manifest: Manifest,
    detectors: Sequence[DetectorSpec],
    acts: Sequence[CurationAct],
) -> DayTables:
    """Return the tables that the event names: its day's, or those a daemon still ran on (earlier, or no history).

    `detectors` and `acts` are those in force on its day.
    """
    for tables in served_tables(lake, str(event["branch"]), day, manifest, detectors, acts):
        if tables.tables_ver == event["tables_ver"]:
            break
    return dataclasses.replace(tables, day=day)


def _lake_row(lake: Lake, branch: str, day: str, event_id: str) -> dict[str, Any]:
    columns = lake.read("signal_events", branch, day, spec=SIGNAL_EVENTS)
    places = np.flatnonzero(columns["event_id"] == event_id)
    if not len(places):
        raise LedgerError(
            f"event {event_id} is in the mirror but not in the lake's {day}", "both", "a lake of another home"
        )
    return {
        name: values[places[0]].item() if hasattr(values[places[0]], "item") else values[places[0]]
        for name, values in columns.items()
    }


def _belief(
    sig: Connection, lake: Lake, manifest: Manifest, version: PriorsVersion, braid: ActiveBraid
) -> dict[str, Any]:
    lesson, row = read_lesson(sig, braid.lesson_id), read_braid(sig, braid.braid_id)
    if lesson is None or row is None:
        raise LedgerError(f"braid {braid.braid_id} has no lesson or row", "both", "a ledger restored in part")
    return {
        "braid_id": braid.braid_id,
        "state": row.state,
        "rule": describe_braid(braid, rule_words(manifest)),
        "theta_delta": braid.patch.theta_delta,
        "phi_mult": braid.patch.phi_mult,
        "gate": braid.acting_gate,
        "level": braid.level,
        "trust": _trust(sig, version, braid),
        "tilt_share": row.tilt_share,
        "delta_realised": list(row.delta_realised),
        "claimed_gain_bps": row.claimed_gain_bps,
        "expires": clock(braid.expires_at_ms),
        "lesson_id": lesson.lesson_id,
        "uplift_bps": lesson.uplift_bps,
        "ci95": list(lesson.ci95),
        "lcb_bps": lesson.lcb_bps,
        "grade": lesson.grade,
        "trials": lesson.trials,
        "days": days_of_rule(lake, version.branch, manifest, lesson, lesson.night),
        "sample": list(lesson.members_sample[:5]),
    }


def _trust(sig: Connection, version: PriorsVersion, braid: ActiveBraid) -> dict[str, Any] | None:
    """Return what a braid had earned by the nightly run that made a version; None for one that earns nothing."""
    found = trust_before(sig, version.branch, braid.braid_id, day_of(version.effective_from_ms))
    return None if found is None else {"night": found[0], **(trust_facts(found[1]) or {})}


def _experts(sig: Connection, branch: str, day: str) -> dict[str, str]:
    """Return which set of micro-experts spoke on a day, from when it holds and when it was judged."""
    sets = read_expert_sets(sig, branch)
    states = expert_states(acts_on(sig, branch, day), day)
    in_force, version = in_force_on(day, sets), set_of_day(day, sets, states).version
    from_day, judged_day = (in_force.from_day, in_force.judged_day) if in_force else ("", "")
    return {"experts_ver": version, "from_day": from_day, "judged_day": judged_day}


def days_of_rule(
    lake: Lake, branch: str, manifest: Manifest, lesson: Lesson, last: str, most: int = 0
) -> list[dict[str, Any]]:
    """Return what a lesson's rule held on each scored day up to `last`, the newest `most` of them (0: all).

    Windows in it, published, of these executed at a venue, and the mean score f over weight h, bps net.
    """
    read, words = ("detector_id", "published", "fill_source", "f", "h", *AT_COLUMNS, *BIN_COLUMNS), DEFAULT
    if is_about_asset(lesson.rule):
        words = rule_words(manifest)
    out = []
    for day in [d for d in lake.days("payoff_scores", branch) if d <= last][-most:]:
        rows = lake.read("payoff_scores", branch, day, columns=read)
        if words is not DEFAULT:
            rows = with_asset_bins(lake, branch, manifest, rows)
        own_rows = (rows["detector_id"] == lesson.detector_id) & rule_mask(lesson.rule, bins_of(rows, words))
        if not own_rows.any():
            continue
        weight = float(rows["h"][own_rows].astype(np.float64).sum())
        score = float(rows["f"][own_rows].astype(np.float64).sum())
        published = int(rows["published"][own_rows].astype(np.bool_).sum())
        net = score / weight
        at_venue = int((rows["fill_source"][own_rows] == "venue").sum())
        counts = {"windows": int(own_rows.sum()), "published": published, "at_venue": at_venue}
        out.append({"day": day, **counts, "net_bps": net})
    return out
