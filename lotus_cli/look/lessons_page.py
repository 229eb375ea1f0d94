"""The page of `lotus lessons` from its facts: what is believed in sentences, what was refused, tables with --wide."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from lotus.learning.lesson import Lesson
from lotus.priors.asset_context import describe_with
from lotus.priors.trace import describe_braid
from lotus.weave.braid import Braid
from lotus_assets.pages.lesson_tables import belief_table, lesson_table
from lotus_cli.terminal.tables import TableColumn, folded, numbers, table
from lotus_store.facts.braids import experiment_words, gate_words, trust_facts, trust_words
from lotus_store.facts.lessons import Night, signed_bound
from lotus_store.ledger.texts import TEMPLATE

LEGEND = (
    "Uplift: what a window of the rule paid over what its score alone told, net of costs, bps. Bound: what is left of "
    "it after the search among all rules (family-wise). Bins count from the lowest, 0; d*x is x with the sign of the "
    "signal. Grades A and B may own a patch. An e-value of 20 ends a belief."
)
_REFUSALS = (
    TableColumn("detector"), TableColumn("rule", least=20), TableColumn("uplift, bps", right=True),
    TableColumn("reason", least=24), *numbers("95 %, bps", "bound, bps", "evidence, nats", "published"),
)  # fmt: skip


def page(night: Night, refused: bool, wide: bool) -> str:
    """Return the page; `refused` lists the refusals, `wide` adds the tables of Dagster's page."""
    beliefs = [line for belief in night.beliefs for line in _belief(night, *belief)]
    taught = {lesson.lesson_id for _, lesson in night.beliefs if lesson is not None}
    new = [line for x in night.kept if x.lesson_id not in taught for line in _waiting(night, x)]
    tried = [line for row in night.experiments for line in _experiment(row)]
    lines = [
        *_head(night),
        "",
        f"BELIEVED after it: {len(night.beliefs)}",
        *(beliefs or ["  nothing: every score is the detector's own"]),
        *(["", "EXPERIMENTS on proposals", *tried] if tried else []),
        *(["", *composition_lines(night.compositions)] if night.compositions else []),
        *(["", "LEARNED, without a patch in force", *new] if new else []),
        "",
        *_refused(night, refused, wide),
    ]
    if wide:
        lines += _tables(night)
    return "\n".join([*lines, "", folded(LEGEND)])


def _head(night: Night) -> list[str]:
    which = "" if night.asked else " (the newest that accepted or refused something; --day names another)"
    lines = [folded(f"LESSONS   branch {night.branch}, nightly run of {night.day}{which}", "  ")]
    if not night.look.get("looked"):
        return [*lines, "  this nightly run did not look for lessons: what is believed goes on"]
    counts = Counter(x.state for x in night.lessons)
    day, rest = night.needed_nats
    words = (
        f"{night.look['trials']:,} rules tried over {night.look['learning_days']} learning days; evidence needed: "
        f"{day:.2f} nats in lane S (against the same day), {rest:.2f} in lane F (against the rest of the day); "
        f"accepted {counts['IDENTIFIED']}, proposed {counts['MODEL_ONLY']}, refused {counts['REFUSED']}"
    )
    return [*lines, folded(f"  {words}", "  ")]


def _belief(night: Night, braid: Braid, lesson: Lesson | None) -> list[str]:
    left = night.days_left(braid)
    until = "without an end" if left is None else f"{left} days left"
    moves = ", ".join(f"{k.key} x{k.mult:.3f}" for k in braid.patch.knobs)
    moves = moves or f"theta {braid.patch.theta_delta:+.4f}, phi x{braid.patch.phi_mult:.4f}{gate_words(braid.patch)}"
    where = describe_braid(braid.active(), night.words)
    sentence = _sentence(night, lesson) if lesson is not None else f"{braid.detector_id}: {where}"
    return [
        folded(f"  * {sentence}", "    "),
        folded(
            f"    {braid.braid_type} braid {braid.braid_id}: {moves}; {until}, e-value against it {braid.e_value:.2f}",
            "    ",
        ),
        *(folded(f"    {line}", "    ") for line in trust_words(trust_facts(night.trust.get(braid.braid_id)))),
    ]


def _experiment(row: Mapping[str, Any]) -> list[str]:
    """Return an experiment, running or ended, or why a proposal is none, as the sentences of the page."""
    if not row["braid_id"]:
        refused = f"proposal {row['lesson_id']} {row['found']}: {row['reason']}"
        return [folded(f"  * {row['detector_id']}: {refused}", "    ")]
    state = f"{row['found'] or 'runs'}; {row['reason']}"
    drew = f"{experiment_words(row)}, at most {row['most_share']:.2%} of a day"
    contrast = ""
    if row["contrast_bps"] is not None:
        contrast = f"; days on paid {row['contrast_bps']:+.3f} +- {row['contrast_se_bps']:.3f} bps a window more"
    sentence = f"experiment {row['braid_id']}: {drew}; e-value against it {row['e_against']:.2f}{contrast}"
    return [
        folded(f"  * {row['detector_id']} where {row['rule']}: {state}", "    "),
        folded(f"    {sentence}", "    "),
    ]


def composition_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the rows as sentences, under a heading; nothing without any."""
    if not rows:
        return []
    lines = ["COMPOSITIONS across modules"]
    for row in rows:
        lines += [folded(f"  * {row['does']}: {row['state']}; {row['reason']}", "    ")]
        lines += [folded(f"    {row['evidence']}; of {' and '.join(row['parents'])}", "    ")]
    return lines


def _waiting(night: Night, lesson: Lesson) -> list[str]:
    braid = night.waits.get(lesson.lesson_id)
    why = "no patch"
    if lesson.state == "MODEL_ONLY":
        why = f"proposed only: {lesson.reason}"
    why += f", braid {braid.braid_id} is {braid.state}: {braid.reason}" if braid is not None and braid.reason else ""
    return [folded(f"  * {_sentence(night, lesson)}", "    "), folded(f"    {why}", "    ")]


def _sentence(night: Night, lesson: Lesson) -> str:
    text, author = night.sentence(lesson)
    return text if author == TEMPLATE else f"{text} (in the words of {author})"


_NUMBER = re.compile(r"[-+]?\d[\d.,]*\d|[-+]?\d|\binf\b")


def _refused(night: Night, listed: bool, wide: bool) -> list[str]:
    refused = sorted(night.refused, key=lambda x: -x.m_nats)
    if not refused:
        return ["REFUSED: nothing came near"]
    if not listed:
        kinds = Counter(_NUMBER.sub("...", part) for x in refused for part in x.reason.split("; ")).most_common()
        counts = "; ".join(f"{kind}: {n}" for kind, n in kinds)
        return [folded(f"REFUSED: {len(refused)} ({counts}); --refused lists them", "  ")]
    rows = [
        (
            x.detector_id, describe_with(x.rule, night.words), f"{x.uplift_bps:+.2f}", x.reason,
            f"{x.ci95[0]:+.2f} to {x.ci95[1]:+.2f}", f"{signed_bound(x):+.2f}", f"{x.m_nats:.2f}", f"{x.n_published:,}",
        )
        for x in refused
    ]  # fmt: skip
    return [f"REFUSED: {len(refused)}, those with most evidence first", table(_REFUSALS, rows, wide)]


def _tables(night: Night) -> list[str]:
    tables = {
        "In force": belief_table([braid for braid, _ in night.beliefs], night.words),
        "Lessons of the nightly run": lesson_table(night.lessons, night.words),
    }
    return [
        line
        for title, lines in tables.items()
        if lines.rows
        for line in ("", title, table([TableColumn(name) for name in lines.header], lines.texts, wide=True))
    ]
