"""What executions teach: promises that held go to the sources, the quality of the execution to its executor.

An executor is a strategy at a venue. Its score in [0, 1] walks towards the quality of each report,

q = .3 filled / planned + .3 max(0, 1 - slippage / allowed) + .2 max(0, 1 - latency / allowed) + .2 adherence,

by a share of the way and never by more than a step. Scores become authority weights: proportional, none below the floor
of the policy. Of a source only the sums behind its slope move; its value takes one step a day (`reliability.updated`).
In the literature: transaction cost analysis, exponentially weighted broker scoring.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lotus.decision.fusion import Blend
from lotus.decision.knowledge.reliability import SourceReliability, added, initial
from lotus.decision.policy.policy import ExecutorRule, Policy
from lotus.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ExecutionNumbers:
    """What a report says of one coin of one decision.

    `slippage_bps` against arrival, a cost when positive; `adherence` in [0, 1] how far bounds were kept. `realised_bps`
    is the coin's return over the decision's horizon before costs, unsigned by our side; None while it is not known, and
    where the outcomes of the same windows are absorbed every day: a move must not count twice.
    """

    decision_id: str
    coin: str
    venue: str
    strategy: str
    planned_usd: float
    filled_usd: float
    slippage_bps: float
    max_slippage_bps: float
    latency_ms: float
    max_latency_ms: float
    adherence: float
    realised_bps: float | None = None

    @property
    def executor(self) -> str:
        """Name under which it is scored: `venue:strategy`."""
        return f"{self.venue}:{self.strategy}"


@dataclass(frozen=True, slots=True)
class ExecutorScore:
    """An executor's score in [0, 1] and the reports behind it."""

    executor: str
    value: float
    reports: int = 0


@dataclass(frozen=True, slots=True)
class DecisionMemory:
    """What the decision-maker remembers between decisions, in natural order."""

    reliabilities: tuple[SourceReliability, ...] = ()
    executors: tuple[ExecutorScore, ...] = ()

    def reliability(self, source: str, horizon_s: int, policy: Policy) -> float:
        """Return the reliability of a source, its start when it is new."""
        reliabilities = (r.value for r in self.reliabilities if (r.source, r.horizon_s) == (source, horizon_s))
        return next(reliabilities, initial(source, horizon_s, policy.reliability).value)


def numbers_of(
    report: Mapping[str, Any], max_slippage_bps: float, max_latency_ms: float, realised_bps: float | None = None
) -> ExecutionNumbers:
    """Return the numbers of an `exec-report-1.0` payload that passed its check; the limits are those of its plan.

    Slippage and latency that were never measured, because nothing was filled or answered, count as their limits.
    """
    side, px = 1.0 if report["side"] == "long" else -1.0, float(report["arrival_px"] or report["entry_px"] or 1.0)
    slippage, latency = report["slippage_arrival_bps"], report["latency_ms"]
    return ExecutionNumbers(
        decision_id=report["decision_id"],
        coin=report["asset"],
        venue=report["venue"],
        strategy=report["strategy"],
        planned_usd=side * float(report["size_planned"]) * px,
        filled_usd=side * float(report["size_filled"]) * px,
        slippage_bps=max_slippage_bps if slippage is None else float(slippage),
        max_slippage_bps=max_slippage_bps,
        latency_ms=max_latency_ms if latency is None else float(latency),
        max_latency_ms=max_latency_ms,
        adherence=float(report["adherence"]),
        realised_bps=realised_bps,
    )


def quality(numbers: ExecutionNumbers) -> float:
    """Return the quality of an execution in [0, 1]; raises `ConfigError` for numbers that cannot be."""
    limits = (numbers.planned_usd, numbers.max_slippage_bps, numbers.max_latency_ms)
    values = (*limits, numbers.filled_usd, numbers.slippage_bps, numbers.latency_ms, numbers.adherence)
    if not all(math.isfinite(x) for x in values) or min(abs(x) for x in limits) == 0.0:
        raise ConfigError(f"report of {numbers.executor}: {values}", "finite numbers, limits that are not zero")
    filled = min(max(numbers.filled_usd / numbers.planned_usd, 0.0), 1.0)
    slipped = min(max(1.0 - numbers.slippage_bps / numbers.max_slippage_bps, 0.0), 1.0)
    quick = min(max(1.0 - numbers.latency_ms / numbers.max_latency_ms, 0.0), 1.0)
    return 0.3 * filled + 0.3 * slipped + 0.2 * quick + 0.2 * min(max(numbers.adherence, 0.0), 1.0)


def absorb_report(
    memory: DecisionMemory, numbers: ExecutionNumbers, parts: Sequence[Blend], policy: Policy
) -> DecisionMemory:
    """Return the memory after one report; `parts` are the blend of that coin in that decision.

    A report must be given once: the inbox sees to that. Raises `ConfigError` for numbers that cannot be.
    """
    return DecisionMemory(
        reliabilities=_sources(memory.reliabilities, numbers, parts, policy),
        executors=_executors(memory.executors, numbers, policy.executors),
    )


def authority_weights(
    memory: DecisionMemory, allowed: Iterable[str], rule: ExecutorRule
) -> tuple[tuple[str, float], ...]:
    """Return the weight of each executor that is allowed, with sum 1, by name: its score, at least the floor."""
    scores: Mapping[str, float] = {e.executor: e.value for e in memory.executors}
    names = sorted(set(allowed))
    raw = {name: max(scores.get(name, rule.start), rule.floor, 1e-9) for name in names}
    total = math.fsum(raw.values())
    return tuple((name, raw[name] / total) for name in names)


def _sources(
    previous: tuple[SourceReliability, ...], numbers: ExecutionNumbers, parts: Sequence[Blend], policy: Policy
) -> tuple[SourceReliability, ...]:
    if numbers.realised_bps is None:
        return previous
    kept = {(r.source, r.horizon_s): r for r in previous}
    for part in sorted(parts, key=lambda p: (p.source, p.horizon_s, p.event_id)):
        key, share = (part.source, part.horizon_s), math.sqrt(min(abs(part.weight), 1.0))
        kept_before = kept.get(key) or initial(*key, policy.reliability)
        kept[key] = added(kept_before, [(part.mu_bps * share, numbers.realised_bps * share)])
    return tuple(kept[key] for key in sorted(kept))


def _executors(
    previous: tuple[ExecutorScore, ...], numbers: ExecutionNumbers, rule: ExecutorRule
) -> tuple[ExecutorScore, ...]:
    kept = {e.executor: e for e in previous}
    score = kept.get(numbers.executor) or ExecutorScore(numbers.executor, rule.start)
    step = min(max(rule.rate * (quality(numbers) - score.value), -rule.max_step), rule.max_step)
    value = float(f"{min(max(score.value + step, 0.0), 1.0):.8e}")
    kept[score.executor] = replace(score, value=value, reports=score.reports + 1)
    return tuple(kept[name] for name in sorted(kept))
