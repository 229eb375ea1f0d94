"""The card of a detector version as Markdown: specification, life, quality, payoffs, audits and how it fails.

Pure wording of `card_facts`: a loser is named as one in the first line, in the words a winner gets. Nothing is
estimated or left out for looking bad. (Literature: model cards, Mitchell et al. 2019.)
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from lotus.detectors.cards.card_facts import SHOWN_CONTEXTS, CardFacts, Estimate
from lotus.detectors.cards.lifecycle import Life
from lotus.detectors.spec import JITTER, DetectorSpec
from lotus.detectors.stage_gate import GATE_TEXTS, StageGate, gate_of

LIFE_HEAD = ("day", "from", "to", "reason")


def static_card(spec: DetectorSpec) -> str:
    """Return the card of a version that no committed day knows yet: its specification alone."""
    head = [f"# {spec.detector_id} v{spec.version}", "", "No day is committed yet: nothing is known of its payoff."]
    return "\n".join([*head, "", *_specification(spec.as_json(), spec.spec_id, len(JITTER) - 1)]) + "\n"


def card_markdown(facts: CardFacts) -> str:
    """Return the card after a committed day."""
    parts = [
        [f"# {facts.detector_id} v{facts.version}: {facts.life.stage}", "", _verdict(facts), *_gate(facts)],
        _specification(facts.spec, facts.spec_id, facts.siblings),
        _life(facts),
        _payoff(facts),
        _quality(facts),
        _terms(facts),
        _audits(facts),
        _failures(facts),
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def withdrawn_card(life: Life) -> str:
    """Return the card of a version that is no longer shipped: how it lived."""
    head = [f"# {life.detector_id} v{life.version}: {life.stage}", ""]
    return "\n".join([*head, *_table(LIFE_HEAD, _changes(life))]) + "\n"


def verdict_word(net: Estimate | None) -> str:
    """Return what the interval of a net payoff says: earns, loses, is undecided, or that there is none."""
    if net is None or net.low is None or net.high is None:
        return "cannot be judged"
    return "earns" if net.low > 0.0 else "loses" if net.high < 0.0 else "is undecided"


def _verdict(facts: CardFacts) -> str:
    word = verdict_word(facts.published_p)
    begin = f"After {facts.day}, over {facts.days} learning days:"
    if facts.published_p is None:
        return f"{begin} it **{word}** — nothing that it published has matured."
    return f"{begin} it **{word}** — {_interval(facts.published_p)} net per published window."


def _gate(facts: CardFacts) -> list[str]:
    """Return what the stage does to publication on the days after, nothing where it does nothing."""
    now = facts.quality[-1]
    quality = math.nan if "sq_score" in now.neutral else now.sq_score
    gate = gate_of(facts.life.stage, quality, str(facts.spec["status"]))
    return [] if gate is StageGate.OPEN else [f"From the next day on {GATE_TEXTS[gate]}."]


def _specification(spec: Mapping[str, Any], spec_id: str, siblings: int) -> list[str]:
    rows = [(name, _plain(value)) for name, value in spec.items() if name not in ("detector_id", "version")]
    rows += [("siblings", f"{siblings}, jittered; they give det_uncert and nothing else"), ("identity", spec_id)]
    return ["## Specification", "", *_table(("key", "value"), rows)]


def _life(facts: CardFacts) -> list[str]:
    lines = ["## Lineage and life", "", f"Versions: {', '.join(facts.versions)}.", ""]
    return [*lines, *_table(LIFE_HEAD, _changes(facts.life))]


def _changes(life: Life) -> list[tuple[str, str, str, str]]:
    return [(c.day, c.old or "-", c.new, c.reason) for c in life.changes]


def _payoff(facts: CardFacts) -> list[str]:
    rows = [
        ("P, every eligible window", *_estimate(facts.all_p)),
        ("P, published windows", *_estimate(facts.published_p)),
        ("Y, published windows as executed", *_estimate(facts.published_y)),
    ]
    counts = f"{facts.signals} signals, {facts.eligible} eligible, {facts.published} published."
    lines = ["## Publications and net payoff", "", counts, "Costs are in; intervals are 95 %, clustered by day.", ""]
    return [*lines, *_table(("payoff", "mean, bps", "95 % interval", "windows", "days"), rows)]


def _quality(facts: CardFacts) -> list[str]:
    names = ("accuracy", "precision", "stability", "orthogonality", "cost")
    rows = [
        (q.day, f"{q.sq_score:.3f}", *(_number(q.parts.get(n)) for n in names), ", ".join(q.neutral) or "-")
        for q in facts.quality
    ]
    return ["## Quality in force", "", *_table(("day", "sq_score", *names, "at neutral"), rows)]


def _terms(facts: CardFacts) -> list[str]:
    flags = facts.quality[-1].neutral
    rows = [(name, f"{value:.4g}", "neutral" if name in flags else "-") for name, value in facts.terms.items()]
    evidence = f"Evidence of the day by the micro-experts {facts.experts_ver}."
    return ["## Kernel terms of the day", "", evidence, "", *_table(("term", "value", "flag"), rows)]


def _audits(facts: CardFacts) -> list[str]:
    rows = [(a.name, "passed" if a.passed else "FAILED", a.text) for a in facts.audits]
    if not rows:
        return ["## Audits", "", "None was run."]
    return ["## Audits", "", *_table(("audit", "result", "what was looked at"), rows)]


def _failures(facts: CardFacts) -> list[str]:
    total = max(facts.signals, 1)
    vetoes = [(name, f"{count / total:.1%}") for name, count in facts.vetoes.items() if count and name != "no signal"]
    gap = f"Lost to gaps: {facts.dropped / facts.due:.1%} of {facts.due} matured windows." if facts.due else ""
    lines = ["## Failure modes", "", gap or "No window has matured.", ""]
    lines += _table(("veto", "share of its signals"), vetoes) if vetoes else ["No signal was vetoed."]
    shown = facts.contexts
    if not shown:
        return [*lines, "", "No context has enough matured windows."]
    worst, best = shown[:SHOWN_CONTEXTS], shown[::-1][:SHOWN_CONTEXTS]
    head = ("context", "mean P, bps", "95 % interval", "windows", "days")
    lines += ["", f"Worst and best of {len(shown)} contexts (bins of one feature; described, not tested):", ""]
    lines += _table(head, [(c.label, *_estimate(c.payoff)) for c in worst])
    return [*lines, "", *_table(head, [(c.label, *_estimate(c.payoff)) for c in best])]


def _estimate(e: Estimate | None) -> tuple[str, str, str, str]:
    if e is None:
        return "-", "-", "0", "0"
    reach = "-" if e.low is None or e.high is None else f"{e.low:+.2f} to {e.high:+.2f}"
    return f"{e.mean:+.2f}", reach, str(e.windows), str(e.days)


def _interval(e: Estimate) -> str:
    reach = "no interval from one day" if e.low is None or e.high is None else f"95 % {e.low:+.2f} to {e.high:+.2f}"
    return f"{e.mean:+.2f} bps ({reach}; {e.windows} windows, {e.days} days)"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(_plain(x) for x in value.values())
    if isinstance(value, list | tuple):
        between = "; " if any(isinstance(x, Mapping | tuple) for x in value) else ", "
        return between.join(_plain(x) for x in value)
    return str(value)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
