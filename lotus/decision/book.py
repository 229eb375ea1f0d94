"""The book as numbers: coins that can be measured, and the problem that policy, budgets and curators make of them.

Every cap of one coin is the least of: asset cap and liquidity cap (a share of a day's volume), both times crowding
haircut and curators' cut, and its share of the risk budget. The market factor is the equal-weight book of the measured
coins, its exposures read from the covariance; further factors come with the markets. Nothing is solved here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from lotus.decision.allocation.budgets import Budgets, crowding_haircut
from lotus.decision.allocation.covariance import Covariance
from lotus.decision.allocation.problem import Caps, Floats, Problem
from lotus.decision.curators import Curation
from lotus.decision.fusion import Fused
from lotus.decision.policy.policy import Policy

MARKET_FACTOR: Final = "market"


@dataclass(frozen=True, slots=True)
class CoinMarket:
    """What a coin's market is like: spread, a day's traded volume, open interest, the venue's largest leverage.

    `sector` groups coins; `exposures` are (factor, exposure) besides the market's own.
    """

    spread_bps: float
    adv_usd: float
    open_interest_usd: float
    max_leverage: float
    sector: str = "crypto"
    exposures: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class AllocationInputs:
    """Coins that can be allocated, by rising name: weights held f8 [n], covariance over the horizon f8 [n, n] in bps^2.

    `aside` are gross and net weight of what is held in coins that cannot.
    """

    coins: tuple[str, ...]
    markets: tuple[CoinMarket, ...]
    w0: Floats
    sigma: Floats
    equity_usd: float
    aside: tuple[float, float] = (0.0, 0.0)

    def haircuts(self, policy: Policy) -> Floats:
        """Return the crowding haircut of each coin, f8 [n]."""
        pairs = zip(np.abs(self.w0) * self.equity_usd, self.markets, strict=True)
        shares = [float(usd) / m.open_interest_usd if m.open_interest_usd > 0.0 else 0.0 for usd, m in pairs]
        return np.array([crowding_haircut(share, policy.crowding) for share in shares])

    def liquidity(self, policy: Policy) -> Floats:
        """Return the largest weight that each coin's traded volume bears, f8 [n]."""
        return np.array([policy.caps.adv_share * m.adv_usd / self.equity_usd for m in self.markets])

    def capacity(self, weights: Floats, policy: Policy) -> list[tuple[float, float, float]]:
        """Return (size, share of the liquidity cap in use, crowding haircut) of each coin of a book."""
        caps, haircuts = self.liquidity(policy), self.haircuts(policy)
        sizes = np.abs(weights)
        uses = [float(s / cap) if cap > 0.0 else float(s > 0.0) for s, cap in zip(sizes, caps, strict=True)]
        return [(float(s), use, float(h)) for s, use, h in zip(sizes, uses, haircuts, strict=True)]


@dataclass(frozen=True, slots=True)
class NotUsed:
    """An input or a coin that played no part, and why."""

    what: str
    reason: str


@dataclass(slots=True)
class _Bounds:
    """Bounds of the coins while they are being narrowed, with the name of the cap that made each."""

    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


def measured(
    coins: Sequence[str], positions: Mapping[str, float], markets: Mapping[str, CoinMarket], covariance: Covariance,
    equity_usd: float, horizon_s: int,
) -> tuple[AllocationInputs, list[NotUsed]]:  # fmt: skip
    """Return the coins with a market and a covariance as a book over the horizon, and the others with a reason."""
    lacking = {c: "no covariance" if c in markets else "no market" for c in coins}
    kept = tuple(sorted(c for c in coins if c in markets and c in covariance.coins))
    frozen = [positions.get(c, 0.0) / equity_usd for c in coins if c not in kept]
    book = AllocationInputs(
        coins=kept,
        markets=tuple(markets[c] for c in kept),
        w0=np.array([positions.get(c, 0.0) / equity_usd for c in kept]),
        sigma=covariance.over(horizon_s, kept) if kept else np.zeros((0, 0)),
        equity_usd=equity_usd,
        aside=(sum(abs(w) for w in frozen), sum(frozen)),
    )
    return book, [NotUsed(c, lacking[c]) for c in sorted(coins) if c not in kept]


def problem_of(
    book: AllocationInputs, fused: Sequence[Fused], limits: Budgets, curation: Curation, policy: Policy, gross: float
) -> Problem:
    """Return the allocation problem; `gross` is the account's own cap. Budgets scale caps and lambda, never mu."""
    views = {f.coin: f.mu_bps for f in fused}
    penalty = policy.soft.turnover_penalty
    cost = [policy.soft.fee_bps + m.spread_bps / 2.0 for m in book.markets]
    bounds = _bounds(book, views, limits, curation, policy)
    leverage = np.array([min(max(m.max_leverage, 1.0), policy.caps.leverage_max) for m in book.markets])
    return Problem(
        coins=book.coins,
        mu=np.array([views.get(c, 0.0) * curation.mu_factor(c) for c in book.coins]),
        sigma=book.sigma,
        w0=book.w0,
        cost=penalty * np.array(cost),
        risk_aversion=limits.risk_aversion,
        inertia_bps=penalty * policy.soft.inertia_bps,
        lower=np.array(bounds.lower),
        upper=np.array(bounds.upper),
        margin=1.0 / leverage,
        caps=_caps(book, limits, policy, gross),
        bound_names=tuple(bounds.names),
    )


def _bounds(
    book: AllocationInputs, views: Mapping[str, float], limits: Budgets, curation: Curation, policy: Policy
) -> _Bounds:
    deviations = np.sqrt(np.maximum(np.diag(book.sigma), 1e-18))
    shares = policy.risk.asset_share * limits.risk_bps / deviations
    made, haircuts, liquid = _Bounds(), book.haircuts(policy), book.liquidity(policy)
    for k, coin in enumerate(book.coins):
        factor = float(haircuts[k]) * curation.cap_factor(coin)
        caps = {"asset": policy.caps.asset * factor, "adv": float(liquid[k]) * factor, "risk_share": float(shares[k])}
        name, cap = min(caps.items(), key=lambda item: (item[1], item[0]))
        low, high = -cap, cap
        if curation.vetoed(coin) or not views.get(coin):
            held = float(book.w0[k])
            name = "veto" if curation.vetoed(coin) else "no_view"
            low, high = max(low, min(held, 0.0)), min(high, max(held, 0.0))
        made.lower.append(low)
        made.upper.append(high)
        made.names.append(f"{name}:{coin}")
    return made


def _caps(book: AllocationInputs, limits: Budgets, policy: Policy, gross: float) -> Caps:
    held_gross, held_net = book.aside
    sectors = sorted({m.sector for m in book.markets})
    named = sorted({name for m in book.markets for name, _ in m.exposures} - {MARKET_FACTOR})
    factors = {MARKET_FACTOR: _market_exposures(book.sigma)}
    factors |= {name: tuple(dict(m.exposures).get(name, 0.0) for m in book.markets) for name in named}
    return Caps(
        gross=max(min(policy.caps.gross, gross) - held_gross, 0.0),
        net=max(policy.caps.net * limits.net_mult - abs(held_net), 0.0),
        margin_share=policy.caps.margin_share,
        turnover=limits.turnover,
        risk_bps=limits.risk_bps,
        sectors=tuple((s, tuple(float(m.sector == s) for m in book.markets), policy.caps.sector) for s in sectors),
        factors=tuple((name, row, policy.caps.factor) for name, row in factors.items()),
    )


def _market_exposures(sigma: Floats) -> tuple[float, ...]:
    """Return the beta of each coin to the equal-weight book, from the covariance."""
    with_market = sigma.mean(axis=1)
    variance = float(with_market.mean())
    return tuple(float(x) / variance for x in with_market) if variance > 0.0 else tuple(np.ones(len(sigma)))
