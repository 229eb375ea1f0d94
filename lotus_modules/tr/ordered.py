"""What a target of a ticket orders of its plan: styles, terms, and whether the trader's own style is asked at all."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from lotus.decision.knowledge.plan_terms import Term
from lotus.decision.urgency import Urgency
from lotus.detectors.entry_style import EntryStyle
from lotus.modules.messages.payload import Document
from lotus.trading.estimates.pre_trade import PreTradeEstimate
from lotus.trading.plan.plan import Plan, PlanKind
from lotus.trading.plan.styles import Styles


def styles_in(target: Document, usual: Styles) -> Styles:
    """Return the styles that a target of a ticket orders; what it does not say is the desk's.

    One that may not wait crosses where it does not name another style.
    """
    crosses = EntryStyle.CROSS.value if is_styled(target) else ""
    names = ("entry_style", crosses), ("entry_fallback", ""), ("exit_style", "")
    return usual.ordered(*(target.get(name, default) for name, default in names))


def is_styled(target: Document) -> bool:
    """Return whether a target of a ticket settles how it is entered: by name, or because it may not wait."""
    is_urgent = target.get("asymmetry", {}).get("urgency") == Urgency.IMMEDIATE or Term.URGENCY in terms_in(target)
    return is_urgent or "entry_style" in target


def terms_in(target: Document) -> dict[Term, Decimal]:
    """Return the terms that a target of a ticket orders, each with its distance in bps."""
    return {Term(term["term"]): round(Decimal(str(term["level_bps"])), 2) for term in target.get("terms", ())}


def leading_detector(views: Sequence[Document], target: Document) -> str:
    """Return the detector whose view is the largest part of what a ticket expects of a target's coin.

    `views` are the ticket's, heaviest first. "" where somebody else leads, and where the target goes against the view.
    """
    first = next((view for view in views if view["coin"] == target["coin"]), None)
    if first is None or target["weight"] * first["mu_bps"] <= 0.0:
        return ""
    kind, _, name = first["source"].partition(":")
    return name.partition("@")[0] if kind == "det" else ""


def styled(plan: Plan, style: EntryStyle, estimate: PreTradeEstimate | None, settled: bool) -> Plan:
    """Return a plan in the style of the trader's knob, unless its target `settled` it or the hint is against it."""
    waits = not settled and (estimate is None or not estimate.forbids_rest)
    return in_style(plan, style) if waits else plan


def in_style(plan: Plan, style: EntryStyle) -> Plan:
    """Return a plan in the style of the trader's knob: one of the book that would cross. Probes are the yardstick."""
    if plan.kind is not PlanKind.BOOK or not plan.styles.crosses or style is EntryStyle.CROSS:
        return plan
    return replace(plan, styles=Styles(entry=style, exit=style))
