"""What a watchdog does about what it sees: pure rules, no clock, no file, no venue.

In the literature: watchdog timer, fail-safe default, fencing of a failed primary.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

from lotus.timebase import DAY_MS
from lotus_desk.safety.kill_switch import FLATTENED, HALTED, LIFTED
from lotus_venues.hyperliquid.account_wire import STANDARD

AGENT_WARNING_MS = 7 * DAY_MS


class SafetyAction(IntEnum):
    """What is done at the venue: nothing, a look only, no more opening, everything closed."""

    NOTHING = 0
    LOOK = 1
    STOP_OPENING = 2
    FLATTEN = 3


@dataclass(frozen=True, slots=True)
class WatchPolicy:
    """Times in seconds, money in USD; 0 switches a limit off.

    A desk silent for `dead_s` is dead or hung; with the kill switch thrown it has `late_s`. `flatten_after_s` counts
    from then. `obey_s` is what a desk that lives has to become flat when the switch says so.
    """

    dead_s: float = 30.0
    late_s: float = 0.75
    obey_s: float = 1.25
    flatten_after_s: float = 0.0
    lag_s: float = 2.0
    data_age_s: float = 60.0
    max_drawdown_usd: Decimal = Decimal(0)
    max_open_usd: Decimal = Decimal(0)
    fences: bool = True


@dataclass(frozen=True, slots=True)
class Seen:
    """What is seen at a moment: age of the desk's pulse, its lag and data, the switch and since when it is thrown.

    Of the accounts, as last looked at: whether something is held or could open, whether a position is without a stop,
    equity with its highest, and value of positions and of what could open. None before the first look.
    """

    pulse_age_s: float
    lag_s: float = 0.0
    data_age_s: float = -1.0
    switch: str = LIFTED
    thrown_s: float = 0.0
    is_empty: bool | None = None
    equity_usd: Decimal | None = None
    highest_usd: Decimal | None = None
    open_usd: Decimal = Decimal(0)
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to tell people: a kind, what was found, what was expected."""

    kind: str
    found: str
    expected: str


@dataclass(frozen=True, slots=True)
class SafetyVerdict:
    """What to do: at the venue, with the switch (`lifted`: leave it), with the process, and what to tell.

    `closes_bare` says that nobody else protects: a position without a stop is closed.
    """

    act: SafetyAction
    throw: str
    fence: bool
    findings: tuple[Finding, ...]
    closes_bare: bool = False


def judge(seen: Seen, policy: WatchPolicy) -> SafetyVerdict:
    """Return what follows from what is seen."""
    gone, throw = seen.pulse_age_s > policy.dead_s, LIFTED
    findings = [*_limits(seen, policy), *(() if gone else _slow(seen, policy))]
    if any(finding.kind in HALTING for finding in findings):
        throw = HALTED
    act = SafetyAction.NOTHING if throw == LIFTED else SafetyAction.LOOK
    if gone:
        act = SafetyAction.LOOK if seen.is_empty is None else act
        if seen.is_empty is False:
            throw, act = HALTED, SafetyAction.STOP_OPENING
            text = f"no pulse for {seen.pulse_age_s:.1f} s while the accounts are not empty"
            findings.append(Finding("daemon_gone", text, f"at most {policy.dead_s} s"))
            if policy.flatten_after_s and seen.pulse_age_s > policy.dead_s + policy.flatten_after_s:
                throw, act = FLATTENED, SafetyAction.FLATTEN
    if seen.switch != LIFTED:
        act = max(act, _for_switch(seen, policy))
    return SafetyVerdict(act, throw, gone and act >= SafetyAction.STOP_OPENING and policy.fences, tuple(findings), gone)


HALTING = frozenset({"drawdown", "caps_exceeded"})


def _for_switch(seen: Seen, policy: WatchPolicy) -> SafetyAction:
    """Return what the thrown switch asks of a watchdog: all of it from a silent desk, the rest from one that lives."""
    wanted = SafetyAction.FLATTEN if seen.switch == FLATTENED else SafetyAction.STOP_OPENING
    if seen.pulse_age_s > policy.late_s:
        return wanted
    return wanted if seen.thrown_s > policy.obey_s and seen.is_empty is False else SafetyAction.LOOK


def _limits(seen: Seen, policy: WatchPolicy) -> list[Finding]:
    findings = []
    if policy.max_drawdown_usd and seen.equity_usd is not None and seen.highest_usd is not None:
        lost = seen.highest_usd - seen.equity_usd
        if lost > policy.max_drawdown_usd:
            findings.append(Finding("drawdown", f"{lost} USD below the highest", f"at most {policy.max_drawdown_usd}"))
    if policy.max_open_usd and seen.open_usd > policy.max_open_usd:
        findings.append(Finding("caps_exceeded", f"{seen.open_usd} USD open", f"at most {policy.max_open_usd}"))
    return findings


def _slow(seen: Seen, policy: WatchPolicy) -> list[Finding]:
    findings = []
    if policy.lag_s and seen.lag_s > policy.lag_s:
        findings.append(Finding("loop_lag", f"a turn {seen.lag_s:.1f} s late", f"at most {policy.lag_s} s"))
    if policy.data_age_s and seen.data_age_s > policy.data_age_s:
        findings.append(
            Finding("stale_data", f"a market {seen.data_age_s:.0f} s old", f"at most {policy.data_age_s} s")
        )
    return findings


def unified(account: str, abstraction: str) -> list[Finding]:
    """Return a finding where an account holds its money in a way in which its perpetuals' state does not tell it."""
    if abstraction in STANDARD:
        return []
    text = f"{account}: account abstraction {abstraction!r}, whose perpetuals' state does not tell its money"
    return [Finding("unified", text, f"one of {', '.join(sorted(STANDARD))}")]


def ending(account: str, agents: Iterable[tuple[str, str, int]], now_ms: int) -> list[Finding]:
    """Return a finding for each agent (name, address, last ms) of an account that is valid for less than a week."""
    return [
        Finding(
            f"agent_ends:{address}",
            f"{account}: agent {name} ({address}) is valid for {(until_ms - now_ms) / DAY_MS:.1f} days more",
            f"at least {AGENT_WARNING_MS // DAY_MS} days",
        )
        for name, address, until_ms in agents
        if until_ms - now_ms < AGENT_WARNING_MS
    ]
