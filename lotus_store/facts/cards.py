"""Stored cards of detectors: newest rows by version, the Markdown of one with equal days together, rung, acts, cost."""

import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from lotus.curation.act import CurationKind, parts_of
from lotus.curation.in_force import expert_states
from lotus.detectors.cards.card_table import DETECTOR_CARDS
from lotus.experts.weekly.learned import set_under
from lotus.governance.ladder_table import LADDER_STEPS
from lotus_store.databases import Connection
from lotus_store.facts.acts import acts_to_hold
from lotus_store.lake import Lake
from lotus_store.ledger.beliefs.acts import acts_on
from lotus_store.ledger.beliefs.compute import costs_on
from lotus_store.ledger.beliefs.expert_sets import expert_set_on
from lotus_store.postgres.queries import query

WINDOW_STAGES: Final = (
    "detector_audits", "detector_dsi_attrib", "lesson_atoms", "payoff_scores", "signal_eval", "signal_events",
)  # fmt: skip


def merged_days(text: str) -> str:
    """Return a Markdown page in which rows of days in a row that say the same are one row, from the first to the last.

    >>> print(merged_days("| 2026-01-05 | - |\\n| 2026-01-06 | - |\\n| 2026-01-07 | 0.5 |"))
    | 2026-01-05 to 2026-01-06 | - |
    | 2026-01-07 | 0.5 |
    """
    lines: list[str] = []
    for (words, row), group in groupby(map(_parted, text.splitlines()), key=lambda parts: (parts[1], bool(parts[0]))):
        days = [day for day, _ in group]
        if row:
            lines.append(f"| {days[0]}{f' to {days[-1]}' if len(days) > 1 else ''} | {words}")
        else:
            lines += [words] * len(days)
    return "\n".join(lines)


def _parted(line: str) -> tuple[str, str]:
    """Return the day that a row of a table begins with and its rest; any other line is all rest."""
    match = re.fullmatch(r"\| (\d{4}-\d\d-\d\d) \| (.*)", line)
    return (match[1], match[2]) if match else ("", line)


def stored_cards(lake: Lake, branch: str, detector_id: str) -> dict[int, dict[str, Any]]:
    """Return the newest stored rows of one detector by version, each with its day."""
    days = lake.days(DETECTOR_CARDS.name, branch)
    if not days:
        return {}
    rows = lake.read(DETECTOR_CARDS.name, branch, days[-1])
    places = [k for k, name in enumerate(rows["detector_id"].tolist()) if name == detector_id]
    picked = ({name: values[k : k + 1].tolist()[0] for name, values in rows.items()} for k in places)
    return {int(row["spec_version"]): {"day": days[-1], **row} for row in picked}


def rung_of(lake: Lake, branch: str, detector_id: str, version: int) -> dict[str, str]:
    """Return where a version stands on the ladder since the newest Monday: day, rung, entered, verdict; {} before."""
    days = lake.days(LADDER_STEPS.name, branch)
    if not days:
        return {}
    rows = lake.read(LADDER_STEPS.name, branch, days[-1], columns=("subject", "to_rung", "entered", "verdict"))
    steps = zip(*(values.tolist() for values in rows.values()), strict=True)
    found = next((step for step in steps if step[0] == f"{detector_id} v{version}"), None)
    return {} if found is None else {"day": days[-1], "rung": found[1], "entered": found[2], "verdict": found[3]}


def scoring_words(connection: Connection, branch: str, detector_id: str) -> str:
    """Return what scoring and all of `WINDOW_STAGES` cost on the newest day of a detector, and its share."""
    asked = {"branch": branch, "detector_id": detector_id, "stages": list(WINDOW_STAGES)}
    row = connection.execute(query("sig", "scoring_cost"), asked).fetchone()
    if row is None:
        return "What its scoring costs is not measured yet."
    day, cpu_s, own, every, all_s, stages = row
    share, missing = float(cpu_s) * own / every, len(WINDOW_STAGES) - stages
    unknown = f" ({missing} of them not measured)" if missing else ""
    return (
        f"Scoring took {cpu_s:.2f} CPU seconds on {day}; its {own:,} of {every:,} windows are {share:.3f} of them "
        f"({share / own * 1e6:.1f} us a window). The {len(WINDOW_STAGES)} stages over windows took {all_s:.2f}"
        f"{unknown}, its share {all_s * own / every:.3f}. "
        f"What its own expressions cost: lotus detector check {detector_id}."
    )


def experts_words(connection: Connection, branch: str, detectors: int) -> str:
    """Return what the micro-experts that a detector reads cost a frame, and its part; `detectors`: how many are scored.

    Every detector reads the fused evidence, so all experts that vote and no other. Each costs its share of the nodes of
    the program (`dsi_expert_costs`); the sum is paid once whoever reads it, so equal parts are the Shapley value again.
    """
    (monday,) = connection.execute(query("sig", "newest_costs"), [branch, "9999-12-31"]).fetchone() or (None,)
    if monday is None:
        return (
            "What the micro-experts that it reads cost is not measured: Mondays do, under [compute] live_ns_per_frame."
        )
    acts = acts_on(connection, branch, monday)
    experts = set_under(expert_set_on(connection, branch, monday), expert_states(acts, monday))
    costs = {(one.expert_id, one.spec_id): one.cost_ns for one in costs_on(connection, branch, monday)}
    voices = experts.fusion.voices
    read = [(e.expert_id, e.spec_id) for e in experts.experts if voices[e.expert_id].status == "active"]
    found = [costs[one] for one in read if one in costs]
    unknown = f" ({len(read) - len(found)} of them not measured)" if len(found) < len(read) else ""
    return (
        f"The {len(read)} micro-experts that it reads cost {sum(found):.0f} ns a frame of one coin{unknown}, measured "
        f"on {monday}; shared by {detectors} detectors, its part is {sum(found) / max(detectors, 1):.0f} ns."
    )


def signatures(acts: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return who signed a card off, of the acts that reach its detector, in words."""
    signed = (act for act in acts if act["kind"] == CurationKind.SIGN_OFF)
    return [f"{act['actor']} until {act['until_day']}: {act['reason']}" for act in signed]


def acts_reaching(connection: Connection, branch: str, detector_id: str) -> list[dict[str, Any]]:
    """Return the acts in force or to come that reach a detector: its own, and those on all detectors of a coin."""
    _, acts = acts_to_hold(connection, branch)
    return [act for act in acts if parts_of(act["target"])[0] in ("", detector_id)]
