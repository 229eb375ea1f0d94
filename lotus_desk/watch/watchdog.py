"""The watchdog's loop: ten times a second pulse and switch, the accounts when there is a reason, then what follows.

It owns no plan and needs no database and no room on the disk; what it does at the venue only makes accounts smaller.
Each step stands in its own guard, and only cancellation ends the loop over an account that is open. What follows from
what is seen stands in `rules`. In the literature: watchdog timer, fencing, fail-safe default.
"""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from lotus_desk.safety.heartbeat import Beat, Pulse
from lotus_desk.safety.kill_switch import FLATTENED, LIFTED, KillSwitch
from lotus_desk.watch.alerts import Alerts, say
from lotus_desk.watch.rules import Finding, SafetyAction, SafetyVerdict, Seen, WatchPolicy, ending, judge, unified
from lotus_store.processes import boot_id, born
from lotus_store.slate import read_slate, write_slate
from lotus_venues.hyperliquid.guard import GuardSession, Holding

TURN_S = 0.1
TOLD_S = 1.0
STANDING_LOOK_S = 86_400.0  # between two looks at an account's agents and kind
STANDING_AGAIN_S = 3_600.0  # after no answer
QUIET_LOOK_S = 15.0  # limits are looked after so often while nothing is wrong
URGENT_LOOK_S, SLOW_LOOK_S, URGENT_S = 0.25, 2.0, 10.0
LIVE_URGENT_LOOK_S, LIVE_SLOW_LOOK_S = 2.0, 15.0  # at the real venue, which counts 22 weight a look and account
LOOK_LIMIT_S, THROW_LIMIT_S = 2.5, 1.0  # a venue or a disk that hangs holds up nothing else for longer
GONE_S = 30.0  # a local exchange that answers nothing for so long after the home went has ended with it
AWAY_S = 2.0  # a home that is away for less was moved or mounted anew
END_S = 5.0  # a desk that ended in order and left nothing is not watched any longer


@dataclass(slots=True)
class Watchdog:
    """Watches one home. `open_sessions` takes the known accounts and gives sessions of the others.

    `ends_unheard`: the venue is a local exchange, which may end with its home; a real one is asked permanently.
    """

    home: Path
    policy: WatchPolicy
    open_sessions: Callable[[frozenset[str]], Coroutine[Any, Any, dict[str, GuardSession]]]
    alerts: Alerts
    sessions: dict[str, GuardSession] = field(default_factory=dict)
    held: dict[str, Holding] = field(default_factory=dict)
    highest: dict[str, Decimal] = field(default_factory=dict)
    urgent_look_s: float = URGENT_LOOK_S
    slow_look_s: float = SLOW_LOOK_S
    acts: int = 0
    last_act: SafetyAction = SafetyAction.NOTHING
    ends_unheard: bool = False
    _began_s: float = field(default_factory=time.monotonic)
    _boot: str = field(default_factory=boot_id)
    _beat: Beat | None = None
    _switch: str = LIFTED
    _thrown_s: float = 0.0
    _since_s: float = 0.0  # since when there is a reason to look
    _look_s: float = 0.0
    _told_s: float = 0.0
    _standing_s: dict[str, float] = field(default_factory=dict)  # when an account's agents and kind were looked at
    _heard_s: float = field(default_factory=time.monotonic)
    _gone_s: float = 0.0  # since when the home is gone, 0 while it is there
    _looked_s: dict[str, float] = field(default_factory=dict)  # when the look at an account began that is believed
    _doubted: dict[str, dict[str, Decimal]] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The file in which it says that it lives."""
        return self.home / "live" / "watchdog.json"

    async def run(self) -> None:
        """Watch until cancelled, or until nothing is left to watch: a desk that ended in order, a home that is gone."""
        self._remember()
        try:
            while True:
                try:
                    await self.turn()
                except Exception as problem:
                    self._tell_fault("a turn", problem)
                if self._is_done():
                    return
                await asyncio.sleep(TURN_S)
        finally:
            for session in self.sessions.values():
                session.close()

    async def turn(self) -> None:
        """Look at everything once and do what follows."""
        now_s = time.monotonic()
        self._read(now_s)
        verdict = judge(self._seen(now_s), self.policy)
        if self._must_look(verdict, now_s):
            await self._look()
            verdict = judge(self._seen(time.monotonic()), self.policy)
            await self._follow(verdict)
        if verdict.act is SafetyAction.NOTHING:
            await self._look_at_standing(now_s)
        if now_s - self._told_s >= TOLD_S:
            self._told_s = now_s
            self._tell()

    def _read(self, now_s: float) -> None:
        """Take in pulse and switch; a switch that was lifted begins a new account of what was lost.

        A pulse that cannot be read is the last one, which ages; a folder that is gone weakens no switch.
        """
        self._beat = Pulse(self.home).read() or self._beat
        switch = KillSwitch(self.home)
        state = switch.state()
        if self._is_gone():
            state = FLATTENED if self._switch == FLATTENED else state
            self._guarded(self.alerts.tell, Finding("home_gone", f"{switch.folder} is not there", "the home"), state)
        if state != self._switch:
            self._thrown_s, self._look_s, self._since_s = now_s, 0.0, 0.0  # looks come often again
            if state == LIFTED:
                self.highest = {name: held.account.equity_usd for name, held in self.held.items()}
        self._switch = state

    def _is_gone(self) -> bool:
        return not self.path.parent.is_dir()

    def _seen(self, now_s: float) -> Seen:
        beat, held = self._beat, self.held
        age_s = now_s - self._began_s  # a desk that is just being started has as long as one that went silent
        if beat is not None:
            age_s = min(age_s, beat.age_s(now_s, self._boot))
        seen = Seen(age_s, switch=self._switch, thrown_s=now_s - self._thrown_s)
        if beat is not None:
            seen = replace(seen, lag_s=beat.lag_s, data_age_s=beat.data_age_s, is_over=beat.is_over)
        if not held:
            return seen
        worst = max(held, key=lambda name: self.highest[name] - held[name].account.equity_usd)
        return replace(
            seen,
            is_empty=all(one.is_empty for one in held.values()),
            equity_usd=held[worst].account.equity_usd,
            highest_usd=self.highest[worst],
            open_usd=max(one.open_usd for one in held.values()),
        )

    def _must_look(self, verdict: SafetyVerdict, now_s: float) -> bool:
        """Tell whether the accounts are looked at now: often at first when there is a reason, then more slowly."""
        if verdict.act is SafetyAction.NOTHING:
            self._since_s, pace_s = 0.0, QUIET_LOOK_S
        else:
            self._since_s = self._since_s or now_s
            slow_s = QUIET_LOOK_S if all(held.is_empty for held in self.held.values()) else self.slow_look_s
            pace_s = self.urgent_look_s if now_s - self._since_s < URGENT_S else slow_s
        if now_s - self._look_s < pace_s:
            return False
        self._look_s = now_s
        return True

    async def _look(self) -> None:
        """Ask every account what it holds; one that does not answer in time keeps what was last seen."""
        try:
            fresh = await asyncio.wait_for(self.open_sessions(frozenset(self.sessions)), LOOK_LIMIT_S)
            self.sessions |= fresh
        except Exception as problem:
            self._tell_fault("an account", problem)
        names, began_s = list(self.sessions), time.monotonic()
        looks = (asyncio.wait_for(self.sessions[n].look(), LOOK_LIMIT_S) for n in names)
        for name, answer in zip(names, await asyncio.gather(*looks, return_exceptions=True), strict=True):
            if isinstance(answer, BaseException):
                self._tell_fault(name, answer)
                continue
            self.held[name], self._heard_s, self._looked_s[name] = answer, time.monotonic(), began_s
            equity = answer.account.equity_usd
            self.highest[name] = max(self.highest.get(name, equity), equity)

    async def _look_at_standing(self, now_s: float) -> None:
        """Tell once a day which agents of an account end within a week, and of what kind it is, one account a turn."""
        due = [n for n in self.sessions if now_s - self._standing_s.get(n, -STANDING_LOOK_S) >= STANDING_LOOK_S]
        if not due:
            return
        name, session = due[0], self.sessions[due[0]]
        self._standing_s[name] = now_s
        try:
            agents = await asyncio.wait_for(session.agents(), LOOK_LIMIT_S)
            kind = await asyncio.wait_for(session.abstraction(), LOOK_LIMIT_S)
        except Exception as problem:
            self._standing_s[name] = now_s - STANDING_LOOK_S + STANDING_AGAIN_S
            self._tell_fault(name, problem)
            return
        for finding in ending(name, agents, session.exchange.now_ms):
            self._guarded(self.alerts.tell, finding, "approve another key, under another name")
        for finding in unified(name, kind):
            self._guarded(self.alerts.tell, finding, "take another account: what this one is worth is not seen here")

    async def _follow(self, verdict: SafetyVerdict) -> None:
        """End the process that is hung, act at the venue, throw the switch beside it; tell all of it."""
        done = []
        if verdict.fence and self._guarded(self._fenced):
            done.append("the hung process was ended")
        throws = verdict.throw != LIFTED and self._switch != FLATTENED and verdict.throw != self._switch
        acts = self._act(verdict) if verdict.act >= SafetyAction.STOP_OPENING else _nothing()
        acted, thrown = await asyncio.gather(acts, self._throw(verdict.throw) if throws else _nothing())
        done += thrown + acted
        self.last_act = verdict.act
        for finding in verdict.findings:
            self._guarded(self.alerts.tell, finding, ", ".join(done) or "told only")
        if done and not verdict.findings:
            text = f"the kill switch says {self._switch} and the desk does not follow"
            unheard = Finding("switch_unheard", text, f"within {self.policy.late_s} s")
            self._guarded(self.alerts.tell, unheard, ", ".join(done))

    async def _throw(self, how: str) -> list[str]:
        """Throw the switch; a disk that hangs or takes nothing keeps nobody waiting."""
        switch = KillSwitch(self.home)
        try:
            await asyncio.wait_for(asyncio.to_thread(switch.throw, how == FLATTENED), THROW_LIMIT_S)
        except (OSError, TimeoutError) as problem:
            self._tell_fault("the kill switch", problem)
            return []
        return [f"kill switch thrown: {switch.state()}"]

    def _guarded(self, step: Callable[..., Any], *given: Any) -> Any:
        """Do a step that must not end the others; what went wrong is said on standard error."""
        try:
            return step(*given)
        except Exception as problem:
            say(f"{getattr(step, '__name__', 'a step')} failed: {problem!r}")
            return None

    def _fenced(self) -> bool:
        """End the process that beat last, if it still is that process: it must not wake up over what is done now."""
        beat = self._beat
        if beat is None or not beat.born or beat.boot != self._boot or born(beat.pid) != beat.born:
            return False
        with suppress(ProcessLookupError, PermissionError):
            os.kill(beat.pid, signal.SIGKILL)
            return True
        return False

    async def _act(self, verdict: SafetyVerdict) -> list[str]:
        jobs = {name: self._shrink(name, verdict) for name, held in self.held.items() if not held.is_empty}
        results = await asyncio.gather(*jobs.values(), return_exceptions=True)
        done = []
        for name, result in zip(jobs, results, strict=True):
            if isinstance(result, BaseException):
                self._tell_fault(name, result)
            elif result:
                done.append(f"{name}: {result}")
        self.acts += len(done)
        return done

    async def _shrink(self, name: str, verdict: SafetyVerdict) -> str:
        """Cancel what opens; close everything, or what nobody protects while the desk is gone."""
        session, held = self.sessions[name], self.held[name]
        closing = held.positions if verdict.act is SafetyAction.FLATTEN else {}
        if verdict.closes_bare and not closing:
            bare, before = held.bare, self._doubted.get(name, {})
            closing, self._doubted[name] = {c: s for c, s in bare.items() if before.get(c) == s}, bare
        refused, left = await asyncio.gather(
            session.cancel(held.opening), session.close_out(closing), return_exceptions=True
        )
        words = []
        if isinstance(refused, BaseException):
            self._tell_fault(name, refused)
        elif held.opening:
            words += [f"{len(held.opening) - len(refused)} opening orders cancelled"]
            words += [f"{len(refused)} not: {'; '.join(sorted(set(refused)))}"] if refused else []
        if isinstance(left, BaseException):
            self._tell_fault(name, left)
        else:
            words += [f"{c} {s} " + (f"not closed: {left[c]}" if left[c] else "closed") for c, s in closing.items()]
        return ", ".join(words)

    def _tell_fault(self, name: str, problem: BaseException) -> None:
        finding = Finding(f"blind:{name}", f"{name}: {str(problem) or type(problem).__name__}", "an answer")
        self._guarded(self.alerts.tell, finding, "tried again")

    def _is_done(self) -> bool:
        """Tell whether nothing is left to watch: the desk ended in order or the home is gone, accounts are empty."""
        now_s = time.monotonic()
        self._gone_s = (self._gone_s or now_s) if self._is_gone() else 0.0
        if self._gone_s:
            unheard = self.ends_unheard and now_s - self._heard_s > GONE_S
            if unheard or self._is_empty_since(self._gone_s + AWAY_S):
                say(f"ends: {self.path.parent} is not there, and {'nobody answers' if unheard else 'nothing is open'}")
                return True
        if self._beat is None or not self._beat.is_over:
            return False
        age_s = self._beat.age_s(now_s, self._boot)
        return age_s > END_S and self._is_empty_since(now_s - age_s)

    def _is_empty_since(self, since_s: float) -> bool:
        """Tell whether looks that began after `since_s` found nothing; earlier ones are seconds old and say nothing."""
        looks = [held.is_empty and self._looked_s[name] > since_s for name, held in self.held.items()]
        return bool(looks) and all(looks)

    def _remember(self) -> None:
        """Take up the highest equities of an earlier life."""
        with suppress(ValueError, TypeError, KeyError, ArithmeticError):
            highest_usd = (read_slate(self.path) or {})["highest_usd"]
            self.highest = {name: Decimal(value) for name, value in highest_usd.items()}

    def _tell(self) -> None:
        """Say in its file that it lives, and what it sees; in a home that is gone nothing is made anew."""
        body = {
            "pid": os.getpid(), "boot": self._boot, "seen_s": time.monotonic(), "switch": self._switch,
            "accounts": {name: "empty" if held.is_empty else "open" for name, held in self.held.items()},
            "highest_usd": {name: str(value) for name, value in self.highest.items()},
            "acts": self.acts, "alerts": self.alerts.count, "last_act": self.last_act.name.lower(),
        }  # fmt: skip
        if not self._is_gone():
            with suppress(OSError):
                write_slate(self.path, body)


async def _nothing() -> list[str]:
    return []
