"""The loom: why a number is what it is. Lessons, braids and the version behind one window, and its logit step by step.

`at` asks what was believed at another time: the same window under the version that was in force then.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from lotus.detectors.cascade import LogitStep, logit_steps
from lotus.errors import ConfigError
from lotus.learning.lesson import Lesson
from lotus.priors.asset_context import ASSET_COLUMN, describe_with
from lotus.priors.compiled import caps_of
from lotus.priors.trace import Trace, describe_braid, trace_priors
from lotus.priors.types import ActiveBraid, PriorsVersion
from lotus.priors.vocabulary import BIN_COLUMNS
from lotus.timebase import DAY_MS
from lotus.weave.braid import Braid
from lotus_console.pictures import LoomNode, layers, scale_over, step_bar
from lotus_console.reading import HomeReading
from lotus_console.tables import Answer, Filter, Question, ShownColumn, Table, ValueKind, selected
from lotus_console.views import Facts, PageView
from lotus_store.asset_context import with_groups
from lotus_store.facts.event import Explained, explained
from lotus_store.facts.words import clock
from lotus_store.ledger.beliefs.priors import in_force_at
from lotus_store.ledger.bodies import from_body
from lotus_store.ledger.signals.events import read_eval

MOST_NODES = 40
LATEST_MS = 32_503_680_000_000


@dataclass(frozen=True, slots=True)
class Believed:
    """What stands behind a version's braids: their rows and lessons, by name."""

    rows: Mapping[str, Braid]
    lessons: Mapping[str, Lesson]


def loom_facts(reading: HomeReading, given: Mapping[str, str]) -> Facts:
    """Return one window's steps and ancestors, or what was believed at a time; raises `LookupError` for no window."""
    event_id = given.get("event") or ("" if given.get("at") else _newest(reading))
    at_ms = time_asked(given["at"]) if given.get("at") else None
    if not event_id:
        return _believed_at(reading, at_ms)
    window = explained(reading.settings, reading.databases, event_id)
    version = window.version if at_ms is None else _version_at(reading, at_ms)
    trace = window.explanation.trace if at_ms is None else _trace_under(reading, window, version, at_ms)
    caps = caps_of(window.manifest.weave)
    steps = logit_steps(
        window.event,
        trace,
        version,
        window.manifest,
        caps,
        window.explanation.is_floored,
        window.explanation.floors[1] if window.explanation.floors else None,
    )
    own_braids = [b for b in version.braids if b.detector_id == window.event["detector_id"]]
    behind = believed_behind(reading, own_braids)
    fired = {step.name for step in trace.steps}
    with reading.databases.connect("sig") as sig:
        outcome = read_eval(sig, event_id)
    return {
        "title": _title(window, steps, at_ms),
        "event": {name: window.event[name] for name in _SHOWN},
        "when": clock(int(window.event["window_end_ms"]))[:19].replace("T", " "),
        "at": given.get("at", ""),
        "day_before": _short(int(window.event["window_end_ms"]) - DAY_MS),
        "is_exact": window.explanation.exact,
        "differs": at_ms is not None,
        "steps": _rows(steps, own_braids, reading),
        "sum": {"logit": steps[-1].logit, "share": steps[-1].probability, "stored": float(window.event["u"])}
        if steps
        else None,
        "beliefs": [_evidence(reading, b, behind) for b in own_braids if b.braid_id in fired],
        "outcome": _outcome(outcome),
        "context": window.explanation.context,
        "picture": picture(reading, version, own_braids, behind, fired, window),
        "version": version.priors_ver,
        "since": since_words(version),
    }


_SHOWN = ("event_id", "detector_id", "asset", "s", "pi", "u", "u0", "draw", "published", "priors_ver", "day")


def believed_behind(reading: HomeReading, braids: Sequence[ActiveBraid]) -> Believed:
    """Return the rows and lessons of some braids, in two queries."""
    rows = reading.rows("sig", "braids_named", braids=[b.braid_id for b in braids])
    own_rows = {str(row["braid_id"]): replace(from_body(row["body"], Braid), reason=row["reason"]) for row in rows}
    names = sorted({b.lesson_id for b in braids if b.lesson_id})
    found = reading.rows("sig", "lessons_named", lessons=names)
    return Believed(own_rows, {str(row["lesson_id"]): from_body(row["body"], Lesson) for row in found})


def picture(
    reading: HomeReading, version: PriorsVersion, braids: Sequence[ActiveBraid], behind: Believed, fired: set[str],
    window: Explained | None = None,
) -> Any:  # fmt: skip
    """Return the ancestors of a window, or of a version, as layers: lessons, braids, compositions, version, window."""
    ordered = sorted(braids, key=lambda b: (b.braid_id not in fired, b.braid_type, b.braid_id))[: MOST_NODES // 2 - 1]
    nodes, edges = list[LoomNode](), list[tuple[str, str]]()
    parents = {p for b in ordered for p in b.parents}
    for braid in ordered:
        acts = braid.braid_id in fired or window is None
        lesson = behind.lessons.get(braid.lesson_id)
        if lesson is not None and f"l{lesson.lesson_id}" not in {n.name for n in nodes}:
            head = f"lesson {lesson.night}, {lesson.uplift_bps:+.1f} bps"
            nodes.append(LoomNode(f"l{lesson.lesson_id}", 0, head, describe_with(lesson.rule, reading.words),
                              f"/lessons/{lesson.lesson_id}", acts))  # fmt: skip
        if lesson is not None:
            edges.append((f"l{lesson.lesson_id}", braid.braid_id))
        layer = 2 if braid.braid_type == "meta" else 1
        head = f"{_kind(braid, behind)}{'' if acts else ', not here'}"
        text = patch_words(braid) if braid.op == "RULE" else describe_braid(braid, reading.words)
        nodes.append(LoomNode(braid.braid_id, layer, head, text, f"/braids/{braid.braid_id}", acts))
        edges += [(p, braid.braid_id) for p in braid.parents]
        if braid.braid_id not in parents:
            edges.append((braid.braid_id, "version"))
    since = since_words(version)
    nodes.append(LoomNode("version", 3, f"priors {version.priors_ver[:8]}", f"since {since}", "/versions"))
    if window is not None:
        share = f"published with {float(window.event['pi']):.0%}" if window.event["published"] else "not published"
        nodes.append(LoomNode("window", 4, f"{window.event['asset']} {window.event['detector_id']}", share))
        edges.append(("version", "window"))
    return layers(nodes, edges, "lessons, braids and the version behind the number")


def patch_words(braid: ActiveBraid) -> str:
    """Return what a braid moves, in few letters."""
    if braid.patch.knobs:
        return ", ".join(f"{knob.key.partition(':')[2]} ×{knob.mult:.3g}" for knob in braid.patch.knobs)
    gate = f", gate {braid.acting_gate:+.2f}" if braid.acting_gate else ""
    return f"θ {braid.patch.theta_delta:+.3f}, Φ ×{braid.patch.phi_mult:.3f}{gate}"


def time_asked(text: str) -> int:
    """Return a time as ms UTC from `YYYY-MM-DDTHH:MM` or ms; raises `ConfigError` for another text."""
    if text.isascii() and text.isdigit() and len(text) < 16 and int(text) < LATEST_MS:
        return int(text)
    try:
        found = datetime.fromisoformat(text)
        return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise ConfigError(f"at is {text[:40]!r}", "a time such as 2026-01-18T14:05, UTC") from None


def _newest(reading: HomeReading) -> str:
    found = reading.rows("sig", "newest_moved") or reading.rows("sig", "newest_published")
    if not found:
        raise LookupError("no window was published yet: `lotus backfill` makes the first days")
    return str(found[0]["event_id"])


def _version_at(reading: HomeReading, at_ms: int) -> PriorsVersion:
    with reading.databases.connect("sig") as sig:
        return in_force_at(sig, reading.settings.branch, at_ms)


def _trace_under(reading: HomeReading, window: Explained, version: PriorsVersion, at_ms: int) -> Trace:
    """Return the trace of a window as if it had closed at another time, under the version in force then."""
    manifest = window.manifest
    (event,) = with_groups(reading.lake, reading.settings.branch, manifest, [window.event])
    bins = [int(event[name]) for name in BIN_COLUMNS]
    theta1, caps = window.explanation.trace.theta1, caps_of(manifest.weave)
    return trace_priors(version, str(event["detector_id"]), bins, theta1, at_ms, caps, event[ASSET_COLUMN])


def _believed_at(reading: HomeReading, at_ms: int | None) -> Facts:
    at_ms = at_ms or 0
    version = _version_at(reading, at_ms)
    behind = believed_behind(reading, version.braids)
    number = len(version.braids)
    return {
        "title": f"{number} belief{'s' * (number != 1)} {'were' if number != 1 else 'was'} in force at {_short(at_ms)}",
        "event": None, "when": "", "at": _short(at_ms), "day_before": _short(at_ms - DAY_MS), "is_exact": True,
        "differs": False, "steps": [], "sum": None, "outcome": None, "context": "",
        "beliefs": [_evidence(reading, b, behind) for b in version.braids],
        "picture": picture(reading, version, version.braids, behind, {b.braid_id for b in version.braids}),
        "version": version.priors_ver,
        "since": since_words(version),
    }  # fmt: skip


def _title(window: Explained, steps: Sequence[LogitStep], at_ms: int | None) -> str:
    event = window.event
    share = f"{float(event['pi']):.1%}".replace(".0%", "%").replace("%", " %")
    what = f"{event['asset']} window of {event['detector_id'].replace('_', ' ')}"
    if at_ms is not None:
        then = f"{steps[-1].probability:.1%}".replace("%", " %") if steps else "the same"
        return f"With what was believed at {_short(at_ms)} this {what} would have had {then}, not {share}"
    return f"Why was this {what} {'published' if event['published'] else 'drawn'} with {share}?"


def _rows(steps: Sequence[LogitStep], braids: Sequence[ActiveBraid], reading: HomeReading) -> list[dict[str, Any]]:
    rules = {b.braid_id: b for b in braids}
    scale = scale_over([0.0, *(step.logit for step in steps)])
    out = []
    for k, step in enumerate(steps):
        braid = rules.get(step.name)
        before = steps[k - 1].logit if k else 0.0
        out.append({
            "kind": step.kind,
            "name": f"{describe_braid(braid, reading.words)}" if braid else step.name.replace("_", " "),
            "place": f"/braids/{braid.braid_id}" if braid else "",
            "note": step.note, "change": step.change, "logit": step.logit, "share": step.probability,
            "bar": step_bar(before, step.logit, scale),
        })  # fmt: skip
    return out


def _evidence(reading: HomeReading, braid: ActiveBraid, behind: Believed) -> dict[str, Any]:
    row, lesson = behind.rows.get(braid.braid_id), behind.lessons.get(braid.lesson_id)
    return {
        "braid_id": braid.braid_id,
        "rule": describe_braid(braid, reading.words),
        "kind": _kind(braid, behind),
        "moves": patch_words(braid),
        "state": row.state if row else "unknown",
        "reason": row.reason if row else "",
        "level": braid.level,
        "e_value": row.e_value if row else None,
        "expires": clock(braid.expires_at_ms)[:16].replace("T", " "),
        "revert_if": row.revert_if(reading.settings.manifest.weave) if row else "",
        "lesson_id": lesson.lesson_id if lesson else "",
        "night": lesson.night if lesson else "",
        "uplift_bps": lesson.uplift_bps if lesson else None,
        "low_bps": lesson.ci95[0] if lesson else None,
        "high_bps": lesson.ci95[1] if lesson else None,
        "bound_bps": lesson.sign * lesson.lcb_bps if lesson else None,
        "published": lesson.n_published if lesson else None,
        "days": lesson.n_days if lesson else None,
        "trials": lesson.trials if lesson else None,
        "grade": lesson.grade if lesson else "",
        "sample": len(row.members_sample) if row else 0,
    }


def _kind(braid: ActiveBraid, behind: Believed) -> str:
    row = behind.rows.get(braid.braid_id)
    if row is not None and row.experiment is not None:
        return "experiment"
    level = f", level {braid.level}" if braid.level else ""
    return {"micro": "braid", "meta": "composition", "field": "field"}[braid.braid_type] + level


def _outcome(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if row is None:
        return None
    number = row["payoff_y"]
    return {"status": row["status"], "payoff_bps": number if math.isfinite(number) else None,
            "modelled_bps": row["payoff_p"], "filled": row["fill_source"]}  # fmt: skip


def since_words(version: PriorsVersion) -> str:
    """Return from when a version was in force, UTC, in words."""
    return _short(version.effective_from_ms).replace("T", " ") if version.effective_from_ms else "the beginning"


def _short(time_ms: int) -> str:
    return clock(max(0, time_ms))[:16]


LOOM = PageView(
    "/loom", "Loom", "Why is this number what it is?", loom_facts, "loom.html", accepts=("event", "at"),
)  # fmt: skip


def _windows(reading: HomeReading, question: Question) -> Answer:
    rows, has_more = selected(reading, "sig", "windows", question, "window_end_ms DESC, event_id")
    return Answer(rows, has_more, "Which window's number is asked about?")


WINDOWS = Table(
    name="windows",
    label="Published windows",
    question="Published windows, the newest first; each leads to its number, step by step.",
    columns=(
        ShownColumn("event_id", "window", ValueKind.CODE, is_shown=False),
        ShownColumn("day", "day", ValueKind.DAY, is_shown=False),
        ShownColumn("window_end_ms", "closed", ValueKind.TIME, "UTC", link="/loom?event={event_id}"),
        ShownColumn("detector_id", "detector"),
        ShownColumn("asset", "coin"),
        ShownColumn("s", "signal", ValueKind.NUMBER),
        ShownColumn("pi", "published with", ValueKind.SHARE),
        ShownColumn("moved_logit", "moved by beliefs", ValueKind.NUMBER, "logit"),
        ShownColumn("moved", "a belief fired", ValueKind.FLAG),
        ShownColumn("payoff_y", "paid", ValueKind.BPS, "bps", "net of costs; a dash before it has matured"),
        ShownColumn("status", "outcome"),
    ),
    source=_windows,
    filters=(Filter("day", "day"), Filter("detector_id", "detector"), Filter("asset", "coin"),
             Filter("moved", "a belief fired", ("yes", "no"))),
    empty="no published window of this kind: `lotus backfill` makes the first days",
)  # fmt: skip
