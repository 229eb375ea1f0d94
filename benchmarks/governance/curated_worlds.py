"""Nights that the curators judge: 28 days of three coins and six detectors before them, honest or with one fault.

Feeds, payoffs, audits and cards are drawn; what is judged and what an act does are the product's. A fault begins on a
day that the dice choose and is of a size that they choose beyond the limit of the law. (Literature: fault injection.)
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from lotus.curation.columns_read import columns_read
from lotus.curation.facts import JudgedDetector, NightFacts
from lotus.curation.feed_health import DECIMALS, LAG, MID, FeedDay
from lotus.curation.likeness import Likeness, likenesses
from lotus.detectors.audits import adversarial, leakage
from lotus.detectors.daily.quality import Matured
from lotus.detectors.registry import shipped_detectors
from lotus.manifest import Manifest
from lotus.timebase import next_day
from lotus_assets.stages.governance.night_facts import missing_proofs

MANIFEST: Final = Manifest()
COINS: Final = tuple(asset.name for asset in MANIFEST.universe)
DETECTORS: Final = shipped_detectors()
NAMES: Final = tuple(d.detector_id for d in DETECTORS)
READS: Final = {
    d.detector_id: columns_read(d, MANIFEST.kernel.cadence_ms, MANIFEST.kernel.window_ms) for d in DETECTORS
}
COLUMNS: Final = tuple(sorted(set().union(*READS.values())))
FIRST: Final = "2026-01-01"
FAULTS: Final = ("unit", "nulls", "skew", "twin", "leak", "proof")
HISTORY, PAIR_DAYS = 28, 20


@dataclass(frozen=True)
class CuratedWorld:
    """A world: `fault` ("" none) begins after `before` days, on one of the ten after; `days` days are judged in all."""

    fault: str = ""
    before: int = 30
    days: int = 45
    windows: int = 60  # shared by two detectors on a day


@dataclass(frozen=True, slots=True)
class JudgedNight:
    """A night: what the curators know, whether a leak was found on its day, and what a veto must cover from day + 2."""

    facts: NightFacts
    leaking: str
    wanted: str  # DETECTOR or @COIN; "" but in the first night that could see the fault
    touched: frozenset[str]  # all targets that the fault hits, from that night on


def nights_of(world: CuratedWorld, seed: int) -> Iterator[JudgedNight]:
    """Yield the nights of a world in order."""
    dice = np.random.default_rng([seed, 24])
    fault = _Fault(world, dice)
    mids = dict(zip(COINS, (60_000.0, 3_000.0, 150.0, 20.0, 1.0), strict=False))
    loading, usual = dice.uniform(0.3, 0.75, len(NAMES)), dice.uniform(0.0, 0.04, (len(COINS), len(COLUMNS)))
    feeds: list[FeedDay] = []
    payoffs: list[np.ndarray[Any, Any]] = []
    for k in range(world.days):
        day = next_day(FIRST, k)
        feed = _feed(day, dice, mids, usual)
        common = dice.standard_normal(world.windows)
        own = dice.standard_normal((len(NAMES), world.windows)) * np.sqrt(1.0 - loading**2)[:, None]
        made = 20.0 * (loading[:, None] * common + own)
        feed, made = fault.feed(k, feed), fault.payoffs(k, made, dice)
        payoffs.append(made)
        if k >= HISTORY:
            facts = NightFacts(
                "main", day, COINS, _detectors(fault.missing(k), payoffs), feed, feeds[-HISTORY:],
                _alike(payoffs[-PAIR_DAYS:]), float(dice.uniform(0.0, 0.2)), float(dice.uniform(0.0, 0.2)),
            )  # fmt: skip
            wanted = fault.target if fault.is_due(k) else ""
            yield JudgedNight(facts, fault.leaking(k), wanted, fault.touched(k))
        feeds.append(feed)


def _feed(day: str, dice: np.random.Generator, mids: dict[str, float], usual: np.ndarray[Any, Any]) -> FeedDay:
    """Draw a day's feed: null shares about their usual, a p99 of 0.3 s with a heavy tail, prices that jump at times."""
    shares = np.clip(usual * dice.lognormal(0.0, 0.5, usual.shape), 0.0, 1.0)
    nulls = {(coin, name): float(shares[a, c]) for a, coin in enumerate(COINS) for c, name in enumerate(COLUMNS)}
    values: dict[tuple[str, str], float] = {}
    for coin in COINS:
        mids[coin] *= float(np.exp(np.clip(0.04 * dice.standard_t(3), -1.2, 1.2)))
        values |= {
            (coin, MID): mids[coin],
            (coin, LAG): float(dice.lognormal(np.log(300.0), 0.35)),
            (coin, DECIMALS): 3.0,
        }
    return FeedDay(day, nulls, values)


def _alike(days: list[np.ndarray[Any, Any]]) -> list[Likeness]:
    return likenesses(NAMES, [_matured(np.stack([day[d] for day in days])) for d in range(len(NAMES))])


def _matured(payoff: np.ndarray[Any, Any]) -> Matured:
    """Return the matured windows of one detector, payoff [days, windows]; a day of NaN has none."""
    there = np.isfinite(payoff).all(axis=1)
    day = np.repeat(np.arange(len(payoff))[there], payoff.shape[1])
    flat, n = payoff[there].ravel(), int(there.sum()) * payoff.shape[1]
    key = np.flatnonzero(np.repeat(there, payoff.shape[1])).astype(np.int64)
    none = np.full(n, np.nan)
    return Matured(key, np.ones(n), flat, flat, day, np.zeros((n, 12), np.uint8), np.ones(n, np.bool_), none)


def _detectors(missing: Mapping[str, list[str]], payoffs: list[np.ndarray[Any, Any]]) -> list[JudgedDetector]:
    grown = {name: sum(np.isfinite(day[d]).all() for day in payoffs[-PAIR_DAYS:]) for d, name in enumerate(NAMES)}
    return [
        JudgedDetector(
            d.detector_id, d.version, d.horizon_s, READS[d.detector_id], "active", 0.3 + k / 20.0,
            int(grown[d.detector_id]), (0.1, 0.2, 0.1), missing.get(d.detector_id, []),
        )
        for k, d in enumerate(DETECTORS)
    ]  # fmt: skip


class _Fault:
    """One fault, drawn: when it begins, whom it hits and how hard. What a veto must cover is `target`."""

    def __init__(self, world: CuratedWorld, dice: np.random.Generator) -> None:
        self.kind, self.start = world.fault, world.before + int(dice.integers(0, 10))
        self._detector = int(dice.integers(0, len(NAMES)))
        self._coin = COINS[int(dice.integers(0, len(COINS)))]
        self._size = float(dice.random())
        self._column = sorted(READS[NAMES[self._detector]])[int(dice.integers(0, len(READS[NAMES[self._detector]])))]
        self._by_header = bool(dice.integers(0, 2))
        self._proof = int(dice.integers(0, 5))
        self._other = (self._detector + 1 + int(dice.integers(0, len(NAMES) - 1))) % len(NAMES)
        of_detector = NAMES[min(self._detector, self._other) if self.kind == "twin" else self._detector]
        self.target = f"@{self._coin}" if self.kind in ("unit", "skew") else of_detector

    def is_due(self, k: int) -> bool:
        """Whether the fault can be seen in the night of day k: a twin has five days behind it then."""
        return bool(self.kind) and k == self.start + (4 if self.kind == "twin" else 0)

    def touched(self, k: int) -> frozenset[str]:
        """Return whom the fault hits on day k."""
        if k < self.start or not self.kind:
            return frozenset()
        readers = {name for name in NAMES if self._column in READS[name]} if self.kind == "nulls" else set()
        return frozenset({self.target, *readers})

    def feed(self, k: int, feed: FeedDay) -> FeedDay:
        """Return the day's feed with the fault in it."""
        if k < self.start or self.kind not in ("unit", "nulls", "skew"):
            return feed
        nulls, values = dict(feed.nulls), dict(feed.values)
        if self.kind == "nulls":
            hit = COINS[: max(-(-len(COINS) // 2), 1 + int(self._size * len(COINS)))]
            nulls |= {(coin, self._column): 0.201 + 0.79 * self._size for coin in hit}
        elif self.kind == "skew":
            values[self._coin, LAG] = 2_001.0 + 20_000.0 * self._size**2
        elif self._by_header:
            values[self._coin, DECIMALS] += 1.0 if self._size < 0.5 else -1.0
        else:
            values[self._coin, MID] *= 10.0 ** (1 + int(3 * self._size)) * 4.0
        return replace(feed, nulls=nulls, values=values)

    def payoffs(self, k: int, made: np.ndarray[Any, Any], dice: np.random.Generator) -> np.ndarray[Any, Any]:
        """Return payoffs [detector, window] with a twin of another detector, which is born with the fault."""
        if self.kind != "twin":
            return made
        made[self._detector] = np.nan
        if k >= self.start:
            corr = 0.95 + 0.049 * self._size
            noise = 20.0 * dice.standard_normal(made.shape[1])
            made[self._detector] = corr * made[self._other] + np.sqrt(1.0 - corr**2) * noise
        return made

    def leaking(self, k: int) -> str:
        """Return the detector whose audit of the day fails."""
        return NAMES[self._detector] if self.kind == "leak" and k >= self.start else ""

    def missing(self, k: int) -> dict[str, list[str]]:
        """Return what each detector's card lacks by the product's own look at it."""
        found = {}
        for d in DETECTORS:
            lacks = self._proof if self.kind == "proof" and k >= self.start and d is DETECTORS[self._detector] else -1
            found[d.detector_id] = _lacking(d.detector_id, lacks)
        return found


def _lacking(name: str, proof: int) -> list[str]:
    """Return what `missing_proofs` says of a whole card without one proof (-1: with all)."""
    spec = DETECTORS[NAMES.index(name)]
    card = {
        "spec_id": "edited" if proof == 0 else spec.spec_id, "life": "[]" if proof == 1 else '[{"day": "x"}]',
        "net_low_bps": np.nan if proof == 2 else -1.0, "net_high_bps": 1.0,
        "card": "# card\n" if proof == 3 else "# card\n## Failure modes\n",
    }  # fmt: skip
    audits = [*leakage.AUDITS, *adversarial.NAMES][1 if proof == 4 else 0 :]
    rows = {
        "detector_id": np.array([name] * len(audits), dtype=object),
        "spec_version": np.full(len(audits), spec.version), "audit": np.array(audits, dtype=object),
    }  # fmt: skip
    return missing_proofs(card, spec, [rows])
