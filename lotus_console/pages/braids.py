"""The braid board: which lessons are alive, each with trust, life and patch; one braid; what acts now."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lotus.errors import ConfigError
from lotus.priors.asset_context import ASSET_COLUMN
from lotus.priors.compiled import caps_of
from lotus.priors.trace import describe_braid, trace_priors
from lotus.priors.types import PriorsVersion
from lotus.priors.vocabulary import BIN_COLUMNS, rule_mask
from lotus.timebase import DAY_MS, day_start_ms, next_day
from lotus.weave.braid import Braid
from lotus.weave.conflict import conflict_map
from lotus.weave.trust import needed
from lotus_console.pages.loom import patch_words, since_words
from lotus_console.pictures import shade
from lotus_console.reading import HomeReading
from lotus_console.tables import Answer, Filter, Question, ShownColumn, Table, ValueKind, selected
from lotus_console.views import Facts, PageView
from lotus_store.asset_context import with_groups
from lotus_store.facts.braids import experiment_facts, experiment_words
from lotus_store.facts.event import of_ledger
from lotus_store.facts.words import NEVER_MS, clock
from lotus_store.ledger.beliefs.priors import in_force_at
from lotus_store.ledger.bodies import from_body

ORDER = "rank, day DESC, braid_id"  # what acts, then what waits
STATES = ("active", "proposed", "sunset", "archived")


def _board(reading: HomeReading, question: Question) -> Answer:
    lowered = replace(question, search=question.search.lower())
    rows, has_more = selected(reading, "sig", "board", lowered, ORDER)
    now_ms = event_now(reading)
    trust = trust_of(reading, [row["braid_id"] for row in rows])
    shown = [board_row(reading, braid_of(row), trust, now_ms) for row in rows]
    counts = braids_by_state(reading)
    title = f"{counts['active']} act, {counts['proposed']} wait, {counts['sunset'] + counts['archived']} ended"
    return Answer(shown, has_more, title if shown else "No lesson has become a belief yet")


def braids_by_state(reading: HomeReading) -> dict[str, int]:
    """Return how many braids are in each state."""
    found = {row["state"]: row["braids"] for row in reading.rows("sig", "braids_by_state")}
    return {state: found.get(state, 0) for state in STATES}


def braid_of(row: Mapping[str, Any]) -> Braid:
    """Return the braid of a row of its history, with the reason of its last change."""
    return replace(from_body(row["body"], Braid), reason=row["reason"])


def board_row(
    reading: HomeReading, braid: Braid, trust: Mapping[str, Mapping[str, Any]], now_ms: int
) -> dict[str, Any]:
    """Return a braid as the board shows it; `now_ms` is event time."""
    earned = trust.get(braid.braid_id)
    tried = experiment_facts(braid)
    whole = braid.expires_at_ms - braid.effective_from_ms
    ends = braid.expires_at_ms < NEVER_MS
    return {
        "braid_id": braid.braid_id,
        "rule": describe_braid(braid.active(), reading.words),
        "detector_id": braid.detector_id,
        "kind": "experiment" if tried else braid.braid_type,
        "state": braid.state,
        "uplift_bps": 0.5 * (braid.ci95[0] + braid.ci95[1]),
        "claim_bps": braid.claim_bps,
        "low_bps": braid.ci95[0],
        "high_bps": braid.ci95[1],
        "grade": braid.grade,
        "level": braid.level,
        "trust_e": earned["e"] if earned else None,
        "trust_needed": needed(braid.level + 1) if earned and braid.level < 3 else None,
        "e_value": braid.e_value,
        "life": min(1.0, max(0.0, (now_ms - braid.effective_from_ms) / whole)) if ends and whole > 0 else None,
        "days_left": max(0.0, (braid.expires_at_ms - now_ms) / DAY_MS) if ends else None,
        "patch": patch_words(braid.active()),
        "expires_at_ms": braid.expires_at_ms,
        "reason": braid.reason if tried is None or tried["found"] else experiment_words(tried),
    }


def event_now(reading: HomeReading) -> int:
    """Return the end of the newest learning day, ms: event time, by which beliefs age."""
    nights = reading.rows("sig", "nights")
    return day_start_ms(next_day(nights[0]["day"])) if nights else 0


def trust_of(reading: HomeReading, braids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return what braids had earned by their newest row of the last sixty learning days, by braid."""
    nights = [row["day"] for row in reading.rows("sig", "nights")][:60]
    if not nights or not braids:
        return {}
    rows = reading.rows("sig", "trust_of_braids", braids=list(braids), day=nights[-1])
    return {str(row["braid_id"]): row for row in rows}


BRAIDS = Table(
    name="braids",
    label="Braids",
    question="Which lessons are alive? A braid is a lesson that owns a bounded patch, for a limited time.",
    columns=(
        ShownColumn("braid_id", "braid", ValueKind.CODE, is_shown=False),
        ShownColumn("rule", "where it acts", link="/braids/{braid_id}", is_wide=True, below="reason"),
        ShownColumn("detector_id", "detector", is_ordered=True),
        ShownColumn("kind", "kind", is_shown=False),
        ShownColumn("uplift_bps", "uplift", ValueKind.BPS, "bps", "what it was admitted with; the interval is 95 %",
                    span=("low_bps", "high_bps")),
        ShownColumn("claim_bps", "claims", ValueKind.BPS, "bps", "what the monitor holds it to", is_shown=False),
        ShownColumn("low_bps", "95 % from", ValueKind.BPS, "bps", is_shown=False),
        ShownColumn("high_bps", "95 % to", ValueKind.BPS, "bps", is_shown=False),
        ShownColumn("grade", "grade", is_ordered=True),
        ShownColumn("level", "trust", ValueKind.LEVEL),
        ShownColumn("trust_e", "E for the next", ValueKind.NUMBER, "", "evidence since the last change of level"),
        ShownColumn("trust_needed", "needed", ValueKind.NUMBER, "", "E that the next level needs", is_shown=False),
        ShownColumn("e_value", "E against", ValueKind.NUMBER, "", "20 ends it"),
        ShownColumn("life", "life", ValueKind.LIFE, "", "share of its time that is over"),
        ShownColumn("days_left", "days left", ValueKind.COUNT),
        ShownColumn("patch", "moves"),
        ShownColumn("expires_at_ms", "until", ValueKind.TIME, is_shown=False),
        ShownColumn("state", "state", ValueKind.STATE),
        ShownColumn("reason", "why", is_shown=False),
    ),
    source=_board,
    filters=(Filter("state", "state", STATES), Filter("detector_id", "detector"),
             Filter("grade", "grade", ("A", "B", "C"))),
    is_searched=True,
    empty="no braid of this kind: `lotus lessons` says how far the search is",
    links=(("what acts now", "/beliefs/now"), ("versions", "/versions"), ("time travel", "/loom")),
)  # fmt: skip


def braid_facts(reading: HomeReading, given: Mapping[str, str]) -> Facts:
    """Return one braid with its history, trust by night and acts; raises `LookupError` for an unknown one."""
    found = reading.rows("sig", "braids_named", braids=[given["braid_id"]])
    if not found:
        raise LookupError(f"there is no braid {given['braid_id'][:40]!r}")
    braid = braid_of(found[0])
    nights = [row["day"] for row in reading.rows("sig", "nights")][:90]
    earned = reading.rows("sig", "trust_of_braid", braid_id=braid.braid_id, days=nights)
    newest = {braid.braid_id: earned[0]} if earned else {}
    row = board_row(reading, braid, newest, event_now(reading))
    monitor = braid.monitor
    return {
        "title": f"{row['rule']} is {braid.state}"
        + (f", {row['days_left']:.0f} days left" if row["days_left"] else ""),
        "braid": row,
        "lesson_id": braid.lesson_id,
        "parents": list(braid.parents),
        "sample": len(braid.members_sample),
        "target": patch_words(replace(braid.active(), patch=braid.target)),
        "realised": list(braid.delta_realised),
        "strength": braid.strength,
        "tags": list(braid.tags),
        "revert_if": braid.revert_if(reading.settings.manifest.weave),
        "warning_t": monitor.warning_t if monitor else None,
        "fresh_t": monitor.fresh_t if monitor else None,
        "blocks": monitor.blocks if monitor else None,
        "realised_bps": realised_bps(braid),
        "is_living": braid.state in ("active", "proposed"),
        "trust": earned,
        "changes": reading.rows("sig", "braid_changes", braid_id=braid.braid_id),
        "acts": reading.rows("sig", "acts_on", target=braid.braid_id),
    }


def realised_bps(braid: Braid) -> tuple[float, float] | None:
    """Return what the rule has earned over the baseline since its selection in its direction, bps, and half of its
    95 % interval; None before its second block.

    The monitor holds sums of x = s D / sqrt(v H) by block; blocks are taken as equally heavy, so this is a reading for
    people, and E alone decides.
    """
    monitor = braid.monitor
    if monitor is None or monitor.blocks < 2 or monitor.gain_square <= 0.0 or not monitor.recent:
        return None
    # y = (rho claim H - s D) / sqrt(v H) = rho claim sqrt(H / v) - x: the mean of sqrt(H / v) follows from both sums
    n = min(monitor.blocks, len(monitor.recent))
    weight = (sum(monitor.recent[-n:]) / n + monitor.gain_sum / monitor.blocks) / (0.8 * monitor.claim_bps)
    if weight <= 0.0:
        return None
    mean = monitor.gain_sum / monitor.blocks / weight
    half = 1.96 * np.sqrt(monitor.gain_square) / monitor.blocks / weight
    return float(mean), float(half)


BRAID = PageView("/braids/{braid_id}", "Braid", "How has this belief lived?", braid_facts, "braid.html")


def now_facts(reading: HomeReading, given: Mapping[str, str]) -> Facts:
    """Return the patch that acts on each coin of a detector at its newest window, and which rules overlap."""
    names = [d.detector_id for d in reading.detectors()]
    days = reading.rows("sig", "newest_event_day")
    day = days[0]["day"] if days else ""
    with reading.databases.connect("sig") as sig:
        version = in_force_at(sig, reading.settings.branch, 2**53)
    moved = sorted({b.detector_id for b in version.braids})
    detector = given.get("detector") or next(iter(moved or names))
    if detector not in names:
        raise ConfigError(f"detector is {detector[:40]!r}", f"one of {', '.join(names)}")
    newest = reading.rows("sig", "newest_of_detector", day=day, detector_id=detector)
    windows = _grouped(reading, [of_ledger(row) for row in newest])
    rows = [_acting(reading, version, detector, window) for window in windows]
    number = sum(bool(row["braids"]) for row in rows)
    key = (version.priors_ver, detector, reading.newest())
    overlaps = reading.memory.of("overlaps", key, lambda: _overlaps(reading, version, detector, day))
    return {
        "title": f"Beliefs act on {number} of {len(rows)} coins of {detector.replace('_', ' ')} now",
        "detector": detector, "detectors": names, "day": day, "version": version.priors_ver,
        "since": since_words(version),
        "rows": rows, "overlaps": overlaps, "shade": shade,
    }  # fmt: skip


def _grouped(reading: HomeReading, windows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return with_groups(reading.lake, reading.settings.branch, reading.settings.manifest, windows)


def _acting(
    reading: HomeReading, version: PriorsVersion, detector: str, window: Mapping[str, Any]
) -> dict[str, Any]:  # fmt: skip
    bins, caps = [int(window[name]) for name in BIN_COLUMNS], caps_of(reading.settings.manifest.weave)
    theta1, end_ms = float(window["theta1"]), int(window["window_end_ms"])
    trace = trace_priors(version, detector, bins, theta1, end_ms, caps, window[ASSET_COLUMN])
    fired = [step.name for step in trace.steps if step.kind in ("braid", "field", "gate")]
    return {
        "asset": window["asset"], "when": clock(int(window["window_end_ms"]))[:19].replace("T", " "),
        "braids": sorted(set(fired)), "theta": trace.theta2 - trace.theta1, "phi": trace.phi, "gate": trace.gate,
        "level": trace.level,
    }  # fmt: skip


def _overlaps(reading: HomeReading, version: PriorsVersion, detector: str, day: str) -> list[dict[str, Any]]:
    """Return the overlap of each pair of rules in force of a detector over its windows of a day."""
    own_braids = [b.braid_id for b in version.braids if b.detector_id == detector and b.op == "RULE"]
    if len(own_braids) < 2:
        return []
    windows = _grouped(reading, reading.rows("sig", "bins_of_day", day=day, detector_id=detector))
    bins = np.array([[w[name] for name in (*BIN_COLUMNS, ASSET_COLUMN)] for w in windows])
    rows = reading.rows("sig", "braids_named", braids=own_braids)
    braids = [from_body(row["body"], Braid) for row in rows]
    shaped = bins.reshape(len(windows), len(BIN_COLUMNS) + 1).astype(np.uint8)
    masks = {b.braid_id: rule_mask(b.rule, shaped) for b in braids}
    rules = {b.braid_id: describe_braid(b.active(), reading.words) for b in braids}
    return [
        {"first": x.first, "second": x.second, "first_rule": rules[x.first], "second_rule": rules[x.second],
         "share": x.jaccard}
        for x in conflict_map(braids, masks)
    ]  # fmt: skip


NOW = PageView(
    "/beliefs/now", "What acts now", "What do beliefs do to each coin now?", now_facts, "now.html",
    accepts=("detector",),
)  # fmt: skip
