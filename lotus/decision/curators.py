"""Curators: three bounded voices after the mathematics. Risk lowers caps, compliance vetoes, overlay nudges a little.

None of them can raise a cap, turn a sign or move an expectation by more than the policy's log nudge (10 % at most). A
vetoed coin may only be reduced. Every act carries its reason. In the literature: judgemental adjustment with limits,
pre-trade compliance.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lotus.decision.policy.policy import Policy

STALE_FACTOR: Final = 0.5
STRESS_FACTOR: Final = 0.5


@dataclass(frozen=True, slots=True)
class Veto:
    """No more of this coin, and why."""

    curator: str
    coin: str
    reason: str


@dataclass(frozen=True, slots=True)
class CapCut:
    """A coin's caps times `factor` in [0, 1], and why."""

    curator: str
    coin: str
    factor: float
    reason: str


@dataclass(frozen=True, slots=True)
class Nudge:
    """What an author would like a coin's expectation to be multiplied with, in logarithm."""

    author: str
    coin: str
    log: float
    reason: str
    act_id: str = ""


@dataclass(frozen=True, slots=True)
class Curation:
    """All acts of one decision in natural order; `nudges` by coin are what is left of the wishes within the bound.

    `wishes` are those that were heard.
    """

    vetoes: tuple[Veto, ...]
    cuts: tuple[CapCut, ...]
    nudges: tuple[tuple[str, float], ...]
    wishes: tuple[Nudge, ...] = ()

    def vetoed(self, coin: str) -> bool:
        """Return whether a coin may only be reduced."""
        return any(veto.coin == coin for veto in self.vetoes)

    def cap_factor(self, coin: str) -> float:
        """Return what is left of a coin's caps, the strictest cut."""
        return min((cut.factor for cut in self.cuts if cut.coin == coin), default=1.0)

    def mu_factor(self, coin: str) -> float:
        """Return what a coin's expectation is multiplied with."""
        return math.exp(dict(self.nudges).get(coin, 0.0))


def curate(
    coins: Sequence[str], policy: Policy, *, halted: str, allowed: Mapping[str, bool], covariance_age_s: float,
    wishes: Iterable[Nudge], stressed: Collection[str] = (),
) -> Curation:  # fmt: skip
    """Return what the three curators do.

    `halted` is why nothing new may be opened at all ("" = it may), `allowed` says for each coin whether the account may
    trade it, `covariance_age_s` how old the risk model is, `stressed` are coins whose basis runs away
    (`budgets.stressed_coins`).
    """
    vetoes, taken = (*_compliance(coins, policy, halted, allowed),), _taken(coins, wishes)
    return Curation(vetoes, _risk(coins, policy, covariance_age_s, stressed), _overlay(taken, policy), taken)


def _compliance(coins: Sequence[str], policy: Policy, halted: str, allowed: Mapping[str, bool]) -> list[Veto]:
    vetoes: list[Veto] = []
    for coin in sorted(coins):
        reasons = [f"halted: {halted}"] if halted else []
        reasons += ["forbidden by the policy"] if coin in policy.forbidden else []
        reasons += [] if allowed.get(coin, False) else ["outside the account's authority"]
        vetoes += [Veto("compliance", coin, reason) for reason in reasons]
    return vetoes


def _risk(coins: Sequence[str], policy: Policy, age_s: float, stressed: Collection[str]) -> tuple[CapCut, ...]:
    under_stress = "its basis is far off and rising"
    cuts = tuple(CapCut("risk", coin, STRESS_FACTOR, under_stress) for coin in sorted(coins) if coin in stressed)
    if age_s <= policy.risk.stale_s:
        return cuts
    reason = f"the covariance is {age_s:.0f} s old, more than {policy.risk.stale_s:.0f}"
    return (*(CapCut("risk", coin, STALE_FACTOR, reason) for coin in sorted(coins)), *cuts)


def _taken(coins: Sequence[str], wishes: Iterable[Nudge]) -> tuple[Nudge, ...]:
    finite = (wish for wish in wishes if wish.coin in coins and math.isfinite(wish.log))
    return tuple(sorted(finite, key=lambda w: (w.coin, w.author, w.log, w.act_id)))


def _overlay(wishes: Sequence[Nudge], policy: Policy) -> tuple[tuple[str, float], ...]:
    bound, sums = policy.overlay.nudge, dict[str, float]()
    for wish in wishes:
        sums[wish.coin] = sums.get(wish.coin, 0.0) + wish.log
    return tuple((coin, min(max(total, -bound), bound)) for coin, total in sorted(sums.items()))
