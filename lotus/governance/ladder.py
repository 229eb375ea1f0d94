"""The ladder: offline, shadow, paper, small live; who climbs is decided by evidence that holds however often one looks.

E of a subject is a delayed-start e-process on its net payoff, by blocks of days: y_b = x_b / s_b, s_b^2 what earlier
blocks foretell of a block's square, or their days where that is more. With g_i(l) = l y_i - l^2 v_i, E_n = (1/2) mean_l
exp(sum_1^n g) + (1/2) [(1/W) sum_{j <= n} mean_l exp(sum_j^n g) + 1 - n/W]. To climb, blocks are five days and v =
max(y^2 / 2, (y^2 + 2) / 6): for a mean of at most 0, P(E ever >= 1/a) <= a for symmetric noise with any tails (at y and
-y, exp(l y - l^2 y^2 / 2) never sums to more than 2) and for skewed noise whose variance is foretold. Days that follow
each other stay inside a block. A loss so rare that no block has shown it is in nobody's evidence. To fall, v = y^2 / 2
by days: sooner, and wrong more often where noise is skewed, which costs a rung. Of n subjects ever on the rung this
year one needs 20 n (union bound). Falls are at once; people hold or lower and never raise. (Literature: e-processes; B.
Delyon 2009 and B. Bercu, A. Touati 2008 on exponential inequalities for square integrable martingales.)
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

RATES: Final = (0.05, 0.1, 0.2, 0.4)  # of a day; of a block times the root of its days
YEAR_DAYS: Final = 365
PROMOTE_E, HARM_E = 20.0, 20.0
HARM_BPS: Final = 1.0  # a day below minus this harms
SHADOW_DAYS, PAPER_DAYS, LIVE_DAYS = 10, 10, 20
MOST_SLIPPAGE_BPS: Final = 2.0


class Rung(StrEnum):
    """Where a subject stands."""

    OFFLINE = "offline"
    SHADOW = "shadow"
    PAPER = "paper"
    LIVE = "small live"
    FULL = "full"


ORDER: Final = tuple(Rung)


@dataclass(frozen=True, slots=True)
class BetRule:
    """How evidence is gathered: days of a block, first blocks that only find the scale, whether noise may be skewed."""

    days: int
    first: int
    is_skewed: bool


CLIMBS: Final = BetRule(5, 3, True)
FALLS: Final = BetRule(1, 5, False)


@dataclass(frozen=True, slots=True)
class BlockBet:
    """The e-process of one subject since it entered its rung under a rule; `sums` over starting blocks and `whole` from
    the first, by rate; `block_squares` and `day_squares`, bps^2, of the `blocks` so far; `peak` the largest E.
    """

    rule: BetRule = CLIMBS
    blocks: int = 0
    block_squares: float = 0.0
    day_squares: float = 0.0
    sums: tuple[float, ...] = (0.0,) * len(RATES)
    whole: tuple[float, ...] = (1.0,) * len(RATES)
    peak: float = 1.0

    @property
    def e_value(self) -> float:
        """E now."""
        n, year = max(0, self.blocks - self.rule.first), YEAR_DAYS / self.rule.days
        late = sum(self.sums) / (len(RATES) * year) + max(0.0, 1.0 - n / year)
        return 0.5 * sum(self.whole) / len(RATES) + 0.5 * late

    def with_block(self, payoffs_bps: Sequence[float]) -> "BlockBet":
        """Return the process with one block of days more; the first blocks give the scale and no evidence."""
        paid, rule = sum(payoffs_bps), self.rule
        after = replace(
            self,
            blocks=self.blocks + 1,
            block_squares=self.block_squares + paid * paid,
            day_squares=self.day_squares + sum(x * x for x in payoffs_bps),
        )
        foretold = max(self.block_squares, self.day_squares) / max(1, self.blocks)
        if self.blocks < rule.first or foretold <= 0.0:
            return after
        y = paid / math.sqrt(foretold)
        penalty = max(0.5 * y * y, (y * y + 2.0) / 6.0) if rule.is_skewed else 0.5 * y * y
        rates = [rate * math.sqrt(rule.days) for rate in RATES]
        gains = [math.exp(rate * y - rate * rate * penalty) for rate in rates]
        starts = 1.0 if (self.blocks - rule.first) * rule.days < YEAR_DAYS else 0.0
        grown = replace(
            after,
            sums=tuple((total + starts) * gain for total, gain in zip(self.sums, gains, strict=True)),
            whole=tuple(product * gain for product, gain in zip(self.whole, gains, strict=True)),
        )
        return replace(grown, peak=max(self.peak, grown.e_value))


def bet_on(payoffs_bps: Sequence[float], rule: BetRule = CLIMBS) -> BlockBet:
    """Return the process of H0 "the mean is at most 0" over daily net payoffs, oldest first.

    A day whose payoff is not known is none; days that fill no block wait for the next.
    """
    bet, found = BlockBet(rule), [x for x in payoffs_bps if math.isfinite(x)]
    for first in range(0, len(found) - rule.days + 1, rule.days):
        bet = bet.with_block(found[first : first + rule.days])
    return bet


def harm_of(payoffs_bps: Sequence[float]) -> BlockBet:
    """Return the process of H0 "the mean is at least -1 bps"."""
    return bet_on([-(payoff + HARM_BPS) for payoff in payoffs_bps], FALLS)


@dataclass(frozen=True, slots=True)
class LadderStanding:
    """A subject on its rung and what is known of it; None is not known, which opens no gate.

    `payoffs_bps`: daily net payoffs since it entered; `on_rung`: subjects ever on it this year. `slippage_high_bps`:
    upper 95 % of realised minus foretold slippage. `held` by a person.
    """

    kind: str
    name: str
    rung: Rung
    conforms: bool | None = None
    audits: bool | None = None
    cost_in_quota: bool | None = None
    modelled_low_bps: float | None = None
    learning_days: int = 0
    parity: bool | None = None
    value_low_bps: float | None = None
    lifecycle_active: bool | None = None
    diversity_kept: bool | None = None
    payoffs_bps: tuple[float, ...] = ()
    on_rung: int = 1
    slippage_high_bps: float | None = None
    held: bool = False


@dataclass(frozen=True, slots=True)
class LadderGate:
    """One condition: what was found, what it needs, whether it is open."""

    name: str
    found: str
    needs: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class LadderStep:
    """Where a subject goes and why, with every gate of its rung."""

    kind: str
    name: str
    rung: Rung
    to: Rung
    verdict: str
    gates: tuple[LadderGate, ...]


def step_of(one: LadderStanding) -> LadderStep:
    """Return the step of a subject: down to shadow at once for cause, up where every gate is open, else it stays."""
    gates = tuple(_gates(one))
    fall = _fall(one)
    if fall and one.rung not in (Rung.OFFLINE, Rung.SHADOW):
        return LadderStep(one.kind, one.name, one.rung, Rung.SHADOW, f"down: {fall}", gates)
    place = ORDER.index(one.rung)
    if fall or place + 1 == len(ORDER) or not all(gate.is_open for gate in gates):
        closed = fall or ", ".join(gate.name for gate in gates if not gate.is_open) or "the top"
        return LadderStep(one.kind, one.name, one.rung, one.rung, f"stays: {closed}", gates)
    if one.held:
        return LadderStep(one.kind, one.name, one.rung, one.rung, "stays: a person holds it", gates)
    return LadderStep(one.kind, one.name, one.rung, ORDER[place + 1], "up: every gate is open", gates)


def _fall(one: LadderStanding) -> str:
    if one.audits is False:
        return "an audit alarmed"
    if one.parity is False:
        return "parity below 100 %"
    harm = harm_of(one.payoffs_bps).peak
    return f"harm: E {harm:,.0f}" if harm >= HARM_E else ""


def _gates(one: LadderStanding) -> list[LadderGate]:
    days, bet = len(one.payoffs_bps), bet_on(one.payoffs_bps)
    if one.rung is Rung.OFFLINE:
        return [
            _flag("conformance", one.conforms), _flag("audits", one.audits), _flag("cost in quota", one.cost_in_quota),
            _above("modelled payoff, low", one.modelled_low_bps, 0.0),
        ]  # fmt: skip
    if one.rung is Rung.SHADOW:
        shown = one.value_low_bps is not None and one.value_low_bps > 0.0
        by = f"value, low {_number(one.value_low_bps)}; life {'active' if one.lifecycle_active else 'not active'}"
        return [
            _count("learning days", one.learning_days, SHADOW_DAYS), _flag("parity", one.parity),
            LadderGate("worth", by, "low above 0, or active by its life", shown or one.lifecycle_active is True),
        ]  # fmt: skip
    if one.rung is Rung.PAPER:
        return [
            _count("days of Y", days, PAPER_DAYS), _flag("diversity not lower", one.diversity_kept),
            LadderGate("evidence", f"E {bet.peak:,.1f}", f"{PROMOTE_E:g}", bet.peak >= PROMOTE_E),
        ]  # fmt: skip
    if one.rung is Rung.LIVE:
        bar, slips = PROMOTE_E * one.on_rung, one.slippage_high_bps
        is_like = slips is not None and slips < MOST_SLIPPAGE_BPS
        return [
            _count("days live", days, LIVE_DAYS), _flag("parity", one.parity),
            LadderGate("evidence", f"E {bet.peak:,.1f}", f"{bar:,.0f} of {one.on_rung} subjects", bet.peak >= bar),
            LadderGate("slippage, high", f"{_number(slips)} bps", f"below {MOST_SLIPPAGE_BPS:g}", is_like),
        ]  # fmt: skip
    return []


def _flag(name: str, value: bool | None) -> LadderGate:
    return LadderGate(name, "not known" if value is None else "yes" if value else "no", "yes", value is True)


def _above(name: str, value: float | None, least: float) -> LadderGate:
    return LadderGate(name, _number(value), f"above {least:g}", value is not None and value > least)


def _count(name: str, value: int, least: int) -> LadderGate:
    return LadderGate(name, f"{value}", f"{least}", value >= least)


def _number(value: float | None) -> str:
    return "not known" if value is None else f"{value:+.2f}"
