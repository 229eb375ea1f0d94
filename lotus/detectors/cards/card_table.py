"""DETECTOR_CARDS: one row per detector version and day, with its stage of life, its numbers and its card.

The table is the memory of the lifecycle: a day's `life` is that of the day before with at most one change appended.
One pure call makes the rows of a day; wording is in `card`, numbers in `card_facts`, transitions in `lifecycle`.
"""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec
from lotus.detectors.cards.card import card_markdown, withdrawn_card
from lotus.detectors.cards.card_facts import AuditResult, CardFacts, card_facts, quality_day
from lotus.detectors.cards.lifecycle import Life, StageTransition, VersionFacts, after_day
from lotus.detectors.daily.history import DayHistory
from lotus.detectors.daily.quality import matured
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.spec import DetectorSpec
from lotus.errors import SchemaError

Columns = Mapping[str, NDArray[np.generic]]

DETECTOR_CARDS = TableSpec(
    "detector_cards",
    ("detector_id", "spec_version"),
    (
        Column("detector_id", "text", "", "detector"),
        Column("spec_version", "i4", "", "version of its specification", low=1),
        Column("spec_id", "text", "", "identity of everything that shapes the signal; empty when no longer shipped"),
        Column("stage", "text", "", "experimental, active, deprecated or archived"),
        Column("since", "text", "", "day of the last change of stage"),
        Column("life", "text", "json", "every change of stage: day, old, new, reason; only ever appended to"),
        Column("days", "i4", "days", "learning days that the sums run over, at most 20", low=0),
        Column("signals", "i8", "", "windows with a signal", low=0),
        Column("published", "i8", "", "published windows", low=0),
        Column("sq_score", "f8", "1", "signal quality in force on the day; null while neutral", True, 0, 1),
        Column("net_bps", "f8", "bps", "mean modelled payoff P of the published windows", True),
        Column("net_low_bps", "f8", "bps", "lower end of its 95 % interval over days", True),
        Column("net_high_bps", "f8", "bps", "upper end of its 95 % interval over days", True),
        Column("card", "text", "markdown", "the card"),
    ),
)  # fmt: skip


def detector_cards(
    history: Sequence[DayHistory],
    tables: Sequence[DayTables],
    detectors: Sequence[DetectorSpec],
    audits: Sequence[AuditResult],
    before: Columns | None,
    experts_ver: str,
) -> dict[str, NDArray[np.generic]]:
    """Return the rows of the last day of `history` in key order.

    `history`: at most 20 learning days, oldest first; `tables`: those in force on the same days; `audits`: of the last
    day, a failed one ends a version; `before`: the rows of the learning day before, None at the branch's beginning;
    `experts_ver`: the experts in force on the last day.
    Raises `SchemaError` when days and tables do not go together.
    """
    days = [h.day for h in history]
    if not days or days != [t.day for t in tables]:
        raise SchemaError(
            f"cards of days {days} with tables of {[t.day for t in tables]}", "the same days, at least one"
        )
    previous = [] if before is None else lives_of(before)
    births = {(x.detector_id, x.version): x.born for x in previous}
    facts = []
    for d, spec in enumerate(detectors):
        own = [t for t in tables if t.day >= births.get((spec.detector_id, spec.version), days[-1])]
        facts.append(_version_facts(d, spec, history, own, _of(audits, spec.detector_id)))
    lives = after_day(days[-1], previous, facts)
    shipped = {(spec.detector_id, spec.version): (d, spec) for d, spec in enumerate(detectors)}
    rows = []
    for life in lives:
        current = shipped.get((life.detector_id, life.version))
        own_audits = _of(audits, life.detector_id)
        numbers = card_facts(*current, history, tables, lives, own_audits, experts_ver) if current else None
        rows.append(_row(life, numbers))
    return {
        c.name: np.array([row[c.name] for row in rows], dtype=DETECTOR_CARDS.numpy_dtype(c.name))
        for c in DETECTOR_CARDS.columns
    }


def lives_of(rows: Columns) -> list[Life]:
    """Return the lives that the rows of a day hold; raises `SchemaError` when one is unreadable."""
    try:
        return [
            Life(str(name), int(version), msgspec.json.decode(text, type=tuple[StageTransition, ...]))
            for name, version, text in zip(
                rows["detector_id"].tolist(), rows["spec_version"].tolist(), rows["life"].tolist(), strict=True
            )
        ]
    except msgspec.DecodeError as error:
        raise SchemaError(
            f"a life of DETECTOR_CARDS is unreadable: {error}", "the form written beside its card"
        ) from error


def _of(audits: Sequence[AuditResult], detector_id: str) -> list[AuditResult]:
    return [audit for audit in audits if audit.detector_id in ("", detector_id)]


def _version_facts(
    d: int,
    spec: DetectorSpec,
    history: Sequence[DayHistory],
    tables: Sequence[DayTables],
    audits: Sequence[AuditResult],
) -> VersionFacts:
    days = [quality_day(t, spec.detector_id) for t in tables]
    return VersionFacts(
        detector_id=spec.detector_id,
        version=spec.version,
        matured_days=matured(history, d).days,
        published=int(sum(np.count_nonzero(h.published & (h.detector == d)) for h in history)),
        sq=tuple(None if "sq_score" in q.neutral else q.sq_score for q in days),
        failed_audits=tuple(a.name for a in audits if not a.passed),
    )


def _row(life: Life, facts: CardFacts | None) -> dict[str, str | int | float]:
    net = facts.published_p if facts else None
    now = facts.quality[-1] if facts else None
    nan = float("nan")
    return {
        "detector_id": life.detector_id,
        "spec_version": life.version,
        "spec_id": facts.spec_id if facts else "",
        "stage": str(life.stage),
        "since": life.since,
        "life": msgspec.json.encode(life.changes).decode(),
        "days": facts.days if facts else 0,
        "signals": facts.signals if facts else 0,
        "published": facts.published if facts else 0,
        "sq_score": now.sq_score if now and "sq_score" not in now.neutral else nan,
        "net_bps": net.mean if net else nan,
        "net_low_bps": net.low if net and net.low is not None else nan,
        "net_high_bps": net.high if net and net.high is not None else nan,
        "card": card_markdown(facts) if facts else withdrawn_card(life),
    }
