"""Governance: acts in force on detectors and coins, the curators and what their acts were worth; what an act would do.

The same facts as `lotus curate summary`. Forms are in `lotus_console.steering`.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from lotus.curation.act import CurationAct, CurationKind, parts_of
from lotus.curation.value import MOVED_COLUMNS, moved_propensity, propensity_without_veto
from lotus.detectors.scoring.signal_spec import ACTS
from lotus.timebase import DAY_MS, day_of
from lotus_console.reading import HomeReading
from lotus_console.tables import Answer, Filter, Question, ShownColumn, Table, ValueKind, of_list, selected
from lotus_console.views import Facts, PageView
from lotus_store.facts.acts import acts_facts, curator_rows
from lotus_store.facts.compute import STATES, compute_facts, gain_words, state_of

MOST_WINDOWS: Final = 20_000
KINDS: Final = tuple(str(kind) for kind in CurationKind)


def governance_facts(reading: HomeReading, given: Mapping[str, str]) -> Facts:
    """Return the acts in force or to come, and every curator with its KPIs."""
    branch = reading.settings.branch
    with reading.databases.connect("sig") as sig:
        facts = acts_facts(sig, reading.lake, branch)
    sent = next((act for act in facts["acts"] if act["act_id"] == given.get("done")), None)
    n = len(facts["acts"])
    title = f"{n} act{'s' * (n != 1)} in force or to come" if n else "Nobody holds anything back"
    return {**facts, "title": title, "done": given.get("done", ""), "sent": sent}


def effect_of(reading: HomeReading, act: CurationAct) -> Facts:
    """Return what an act would have done to the windows of the newest 24 h: how many, and what they publish."""
    until = reading.rows("sig", "newest_window")
    until_ms = int(until[0]["window_end_ms"]) if until else 0
    days = sorted({day_of(until_ms - DAY_MS), day_of(until_ms)})
    detector, coin = parts_of(act.target)
    rows = reading.rows("sig", "windows_of_target", days=days, detector=detector, coin=coin, since=until_ms - DAY_MS,
                        acts=ACTS, most=MOST_WINDOWS)  # fmt: skip
    columns = {name: np.array([0.0 if row[name] is None else row[name] for row in rows], np.float64) for name in _READ}
    before, change = columns["pi"], np.full(len(rows), act.value)
    if act.kind == CurationKind.VETO:
        after = np.zeros(len(rows))
    elif act.kind == CurationKind.LIFT:
        vetoed = columns["veto"] != 0.0
        after = np.where(vetoed, propensity_without_veto(columns), before)
    else:
        after = moved_propensity(columns, change, reading.settings.manifest.score.epsilon)
    was, would = columns["draw"] < before, columns["draw"] < after
    return {
        "windows": len(rows), "moved": int(np.count_nonzero(before != after)), "is_cut": len(rows) == MOST_WINDOWS,
        "gained": int(np.count_nonzero(would & ~was)), "lost": int(np.count_nonzero(was & ~would)),
        "expected": float((after - before).sum()),
    }  # fmt: skip


_READ: Final = (*MOVED_COLUMNS, "u", "draw")

GOVERNANCE = PageView(
    "/governance", "Governance", "Who steers the detectors, and how far?", governance_facts, "governance.html",
    accepts=("done",),
)  # fmt: skip


def _acts(reading: HomeReading, question: Question) -> Answer:
    rows, has_more = selected(reading, "sig", "governance_acts", question, "day DESC, created_at DESC, act_id")
    shown = [{**row, "created_at": row["created_at"].isoformat()[:19]} for row in rows]
    return Answer(shown, has_more, "Who did what to which detector, and why")


ACTS_TABLE = Table(
    name="governance_acts",
    label="Acts of governance",
    question="Every act on detectors and coins, of curators and of people, the newest first.",
    columns=(
        ShownColumn("act_id", "name", ValueKind.CODE),
        ShownColumn("day", "known day", ValueKind.DAY),
        ShownColumn("actor", "who"),
        ShownColumn("kind", "act"),
        ShownColumn("target", "on"),
        ShownColumn("value", "log nudge", ValueKind.NUMBER),
        ShownColumn("from_day", "from", ValueKind.DAY),
        ShownColumn("until_day", "until", ValueKind.DAY),
        ShownColumn("revokes", "lifts", ValueKind.CODE),
        ShownColumn("reason", "why", is_wide=True),
        ShownColumn("created_at", "written at", unit="UTC"),
    ),
    source=_acts,
    filters=(Filter("kind", "act", KINDS), Filter("actor", "who"), Filter("target", "on")),
    empty="nobody has acted: curators do while their cause stands, people on /governance",
    links=(("in force", "/governance"),),
)


def _curators(reading: HomeReading, question: Question) -> Answer:
    with reading.databases.connect("sig") as sig:
        rows: list[dict[str, Any]] = curator_rows(sig, reading.lake, reading.settings.branch)
    wanted = {name: value for name, value in question.filters.items() if value}
    found = [row for row in rows if all(str(row[name]) == value for name, value in wanted.items())]
    first, stop = question.offset, question.offset + question.limit
    return Answer(found[first:stop], len(found) > stop, "What every curator may do, and what its acts were worth")


CURATORS = Table(
    name="curators",
    label="Curators",
    question="Every curator of the platform: its powers, and the value of its acts over 60 learning days.",
    columns=(
        ShownColumn("module", "module"),
        ShownColumn("name", "curator"),
        ShownColumn("vetoes", "may veto", ValueKind.FLAG),
        ShownColumn("cap", "cap of its nudges", ValueKind.NUMBER),
        ShownColumn("nudged", "windows nudged", ValueKind.COUNT),
        ShownColumn("value_bps", "value of nudges", ValueKind.BPS, "bps", span=("value_low", "value_high")),
        ShownColumn("value_low", "95 % from", ValueKind.BPS, "bps", is_shown=False),
        ShownColumn("value_high", "95 % to", ValueKind.BPS, "bps", is_shown=False),
        ShownColumn("vetoed", "windows vetoed", ValueKind.COUNT),
        ShownColumn("regret_bps", "mean P of those", ValueKind.BPS, "bps"),
        ShownColumn("kpi", "judged by", is_wide=True),
        ShownColumn("found", "found, over 60 learning days", is_wide=True),
    ),
    source=_curators,
    filters=(Filter("module", "module", ("sig", "dm", "tr")),),
    links=(("in force", "/governance"),),
)


def _compute(reading: HomeReading, question: Question) -> Answer:
    quota = reading.settings.compute.live_ns_per_frame
    with reading.databases.connect("sig") as sig:
        facts = compute_facts(sig, reading.settings.branch, quota)
    rows = [{**row, "state": state_of(row)} for row in facts["experts"]]
    head = f"Quota: {quota:.0f} ns a frame" if quota else "No quota: nobody is idle"
    return replace(of_list(rows, question, head), note=gain_words(facts["gain_on_equal"]))


_WORTH: Final = (
    ShownColumn("delta_value", "worth", ValueKind.BPS, "bps a day", span=("low", "high")),
    ShownColumn("low", "95 % from", ValueKind.BPS, "bps a day", is_shown=False),
    ShownColumn("high", "95 % to", ValueKind.BPS, "bps a day", is_shown=False),
    ShownColumn("shapley", "its share", ValueKind.BPS, "bps a day"),
)

COMPUTE = Table(
    name="compute",
    label="Compute",
    question="What every micro-expert costs a frame, what it was worth, and who is computed within the quota.",
    columns=(
        ShownColumn("expert_id", "expert"),
        ShownColumn("state", "state", ValueKind.STATE),
        ShownColumn("cost_ns", "cost", ValueKind.NUMBER, "ns a frame"),
        ShownColumn("marginal_ns", "that nobody shares", ValueKind.NUMBER, "ns a frame"),
        *_WORTH,
        ShownColumn("q", "drawn with", ValueKind.SHARE),
    ),
    source=_compute,
    filters=(Filter("state", "state", STATES),),
    empty="nothing is measured yet: credit comes on Mondays, costs on Mondays under a quota",
    links=(("credit of beliefs", "/braid_credit"), ("acts", "/governance_acts")),
)


def _credit(reading: HomeReading, question: Question) -> Answer:
    rows, has_more = selected(reading, "sig", "braid_credit", question, "day DESC, delta_value DESC, braid_id")
    return Answer(rows, has_more, "What every belief in force added to payoffs, week by week")


CREDIT = Table(
    name="braid_credit",
    label="Credit of beliefs",
    question="What windows paid more than without a belief, by the log, in six drawn hours of every day of a week.",
    columns=(
        ShownColumn("day", "Monday", ValueKind.DAY),
        ShownColumn("braid_id", "braid", ValueKind.CODE, link="/braids/{braid_id}"),
        ShownColumn("detector_id", "detector"),
        ShownColumn("windows", "windows moved", ValueKind.COUNT),
        ShownColumn("days", "days", ValueKind.COUNT),
        ShownColumn("delta_sigma", "median step of pi", ValueKind.NUMBER),
        *_WORTH,
    ),
    source=_credit,
    filters=(Filter("detector_id", "detector"), Filter("braid_id", "braid")),
    empty="no belief was in force in a week that a Monday has judged",
    links=(("compute", "/compute"),),
)
