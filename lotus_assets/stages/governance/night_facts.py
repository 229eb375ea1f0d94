"""The facts of a night for the curators, read from what the day's stages committed; nothing is judged here."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.curation.columns_read import columns_read
from lotus.curation.facts import JudgedDetector, NightFacts
from lotus.curation.feed_health import FEED_HEALTH, FeedDay, feed_day
from lotus.curation.likeness import likenesses
from lotus.curation.proved import is_proved
from lotus.detectors.audits import adversarial, leakage
from lotus.detectors.audits.table import ADV_FRAGILITY, DETECTOR_AUDITS
from lotus.detectors.cards.card_table import DETECTOR_CARDS
from lotus.detectors.daily.make import QUALITY_DAYS
from lotus.detectors.daily.quality import matured
from lotus.detectors.scoring.records import MIN_ASSETS
from lotus.detectors.spec import DetectorSpec
from lotus.monitoring.drift_table import DRIFT_REPORT
from lotus.monitoring.sketch_table import DATA
from lotus.timebase import next_day
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.history import ACTS, commits_before, detectors_of, digests_before
from lotus_assets.stages.shared_columns import read_shared
from lotus_store.day_tables import tables_of_day
from lotus_store.ledger.day_commits import DayCommit, read_commit

FEED_DAYS = 28
AUDIT_DAYS = 7
ALARM_DAYS = 5
Columns = Mapping[str, NDArray[Any]]


def night_facts(ctx: StageContext, day: str, feed: FeedDay) -> NightFacts:
    """Return everything that the curators know after a day; `feed`: the health of its feed."""
    detectors = detectors_of(ctx, day)
    history, _ = digests_before(ctx, next_day(day), detectors, QUALITY_DAYS)
    payoffs = [matured(history, d) for d in range(len(detectors))]
    hbar, entrain = _broken(ctx, day)
    return NightFacts(
        branch=ctx.branch,
        day=day,
        assets=tuple(asset.name for asset in ctx.manifest.universe),
        detectors=_detectors(ctx, day, detectors, [m.days for m in payoffs]),
        feed=feed,
        feed_before=feeds_before(ctx, day),
        likenesses=likenesses([d.detector_id for d in detectors], payoffs),
        broken_hbar=hbar,
        broken_entrain=entrain,
        alarmed=_alarmed(ctx, day),
        forbidden=ctx.settings.curation.forbidden,
    )


def feeds_before(ctx: StageContext, day: str) -> list[FeedDay]:
    """Return the health of the feed of the 28 learning days before a day, oldest first."""
    days = [commit.day for commit in commits_before(ctx, ACTS, day, FEED_DAYS)]
    return [feed_day(d, ctx.lake.read(FEED_HEALTH.name, ctx.branch, d)) for d in days]


def audit_commits(ctx: StageContext, day: str) -> list[DayCommit]:
    """Return the audits of a day and of those before it, the newest seven, oldest first."""
    return commits_before(ctx, DETECTOR_AUDITS.name, next_day(day), AUDIT_DAYS)


def drift_days(ctx: StageContext, day: str) -> list[DayCommit]:
    """Return the monitors' reports of the five days up to `day`, where there are any."""
    found = [read_commit(ctx.sig, ctx.branch, next_day(day, -k), DRIFT_REPORT.name) for k in range(ALARM_DAYS)]
    return [commit for commit in found if commit is not None]


def _alarmed(ctx: StageContext, day: str) -> dict[str, str]:
    """Return the newest day on which a series of the data family was named by an alarm, by series."""
    alarmed: dict[str, str] = {}
    for commit in drift_days(ctx, day):
        rows = ctx.lake.read(DRIFT_REPORT.name, ctx.branch, commit.day, columns=("family", "series", "is_named"))
        named = (rows["family"] == DATA) & rows["is_named"].astype(np.bool_)
        for series in rows["series"][named].tolist():
            alarmed.setdefault(str(series), commit.day)
    return alarmed


def _detectors(
    ctx: StageContext, day: str, detectors: Sequence[DetectorSpec], days: Sequence[int]
) -> list[JudgedDetector]:
    cards, kernel = ctx.lake.read(DETECTOR_CARDS.name, ctx.branch, day), ctx.manifest.kernel
    audits = [ctx.lake.read(DETECTOR_AUDITS.name, ctx.branch, c.day) for c in audit_commits(ctx, day)]
    out = []
    for spec, days_matured in zip(detectors, days, strict=True):
        row = _card_of(cards, spec)
        score = float(row["sq_score"])
        out.append(
            JudgedDetector(
                detector_id=spec.detector_id,
                version=spec.version,
                horizon_s=spec.horizon_s,
                reads=columns_read(spec, kernel.cadence_ms, kernel.window_ms),
                stage=str(row["stage"]),
                sq_score=None if score != score else score,
                matured_days=days_matured,
                fragilities=[share for rows in audits if (share := _fragility(rows, spec)) is not None],
                missing=missing_proofs(row, spec, audits),
            )
        )
    return out


def _card_of(cards: Columns, spec: DetectorSpec) -> dict[str, Any]:
    at = np.flatnonzero((cards["detector_id"] == spec.detector_id) & (cards["spec_version"] == spec.version))[0]
    return {name: values[at] for name, values in cards.items()}


def missing_proofs(card: Mapping[str, Any], spec: DetectorSpec, audits: Sequence[Columns]) -> list[str]:
    """Return the proofs that the card of a version, with its audits of seven days, does not hold."""
    wanted = {*leakage.AUDITS, *adversarial.NAMES}
    made = {str(name) for rows in audits for name in rows["audit"][_own(rows, spec)].tolist()}
    proofs = {
        "the hash of its specification": card["spec_id"] == spec.spec_id,
        "a golden row and conformance of this specification": is_proved(spec),
        f"audits of {AUDIT_DAYS} days ({', '.join(sorted(wanted - made))})": wanted <= made,
        "its lineage": len(str(card["life"])) > len("[]"),
        "an interval of its net payoff": bool(np.isfinite([card["net_low_bps"], card["net_high_bps"]]).all()),
        "its failure modes": "## Failure modes" in str(card["card"]),
    }
    return [name for name, is_there in proofs.items() if not is_there]


def _own(rows: Columns, spec: DetectorSpec) -> NDArray[np.bool_]:
    return np.asarray((rows["detector_id"] == spec.detector_id) & (rows["spec_version"] == spec.version))


def _fragility(rows: Columns, spec: DetectorSpec) -> float | None:
    found = rows["value"][_own(rows, spec) & (rows["audit"] == ADV_FRAGILITY)]
    return float(found[0]) if len(found) else None


def _broken(ctx: StageContext, day: str) -> tuple[float | None, float | None]:
    """Return the shares of windows without surprise, and without entrainment, that could have had it.

    Surprise could be known where a coin's tables have its scale; it is broken where volatility is null, and where it
    stands still above its floor of 0. Entrainment could be known where three coins are on the tape.
    """
    commit = read_commit(ctx.sig, ctx.branch, day, "signal_events")
    assert commit is not None
    names = ("detector_id", "asset", "window_end_ms", "kr_hbar", "rv_bps", "entrain")
    rows, tables = read_shared(ctx, "signal_events", commit, names), tables_of_day(ctx.lake, ctx.branch, day)
    if not len(rows["asset"]):
        return None, None
    first = rows["detector_id"] == rows["detector_id"][0]  # all detectors share both numbers
    asset, end = rows["asset"][first], rows["window_end_ms"][first].astype(np.int64)
    hbar, rv, entrain = (rows[name][first].astype(np.float64) for name in ("kr_hbar", "rv_bps", "entrain"))
    scaled = [name for name, m in zip(tables.assets, tables.hbar_m, strict=True) if m is not None]
    scaled_rows, broken = np.isin(asset.astype(str), scaled), np.isnan(rv)
    for name in scaled:
        own = np.flatnonzero(asset == name)
        still = np.diff(hbar[own]) == 0.0
        broken[own[1:]] |= still & (hbar[own[1:]] > 0.0)
    moments, at = np.unique(end, return_index=True)
    order = entrain[at]
    dead = np.isnan(order) | np.concatenate([[False], np.diff(order) == 0.0])
    could = len(set(asset.tolist())) >= MIN_ASSETS
    share = float(broken[scaled_rows].mean()) if scaled_rows.any() else None
    return share, float(dead.mean()) if could and len(moments) else None
