"""The watchdog's loop: ten times a second pulse and switch, the accounts when there is a reason, then what follows.

It owns no plan and needs no database; what it does at the venue only makes accounts smaller. What follows from what is
seen stands in `rules`. In the literature: watchdog timer, fencing.
"""

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from lotus.errors import LotusError
from lotus_live.trade.heartbeat import Beat, Pulse
from lotus_live.trade.kill_switch import FLATTENED, LIFTED, KillSwitch
from lotus_live.watch.alerts import Alerts
from lotus_live.watch.rules import Act, Finding, Seen, Verdict, WatchPolicy, judge
from lotus_store.processes import boot_id, born
from lotus_venues.hyperliquid.guard import GuardSession, Holding
from lotus_venues.hyperliquid.user_stream import ODD_ANSWERS

TURN_S = 0.1
TOLD_S = 1.0
QUIET_LOOK_S = 15.0  # limits are looked after so often while nothing is wrong
URGENT_LOOK_S, SLOW_LOOK_S, URGENT_S = 0.25, 2.0, 10.0
LIVE_URGENT_LOOK_S, LIVE_SLOW_LOOK_S = 2.0, 15.0  # at the real venue, which counts 22 weight a look and account
END_S = 5.0  # a desk that ended in order and left nothing is not watched any longer
FAULTS = (*ODD_ANSWERS, LotusError, OSError)


@dataclass(slots=True)
class Watchdog:
    """Watches one home. `open_sessions` gives the sessions of accounts that are not known yet, told the known ones."""

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
    last_act: Act = Act.NOTHING
    _began_s: float = field(default_factory=time.monotonic)
    _boot: str = field(default_factory=boot_id)
    _beat: Beat | None = None
    _switch: str = LIFTED
    _thrown_s: float = 0.0
    _since_s: float = 0.0  # since when there is a reason to look
    _look_s: float = 0.0
    _told_s: float = 0.0
    _doubted: dict[str, dict[str, Decimal]] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The file in which it says that it lives."""
        return self.home / "live" / "watchdog.json"

    async def run(self) -> None:
        """Watch until cancelled, until the home is gone, or until a desk that ended in order has left nothing."""
        self._remember()
        try:
            while self.path.parent.is_dir():
                await self.turn()
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
            await self._look(now_s)
            verdict = judge(self._seen(time.monotonic()), self.policy)
            await self._follow(verdict)
        if now_s - self._told_s >= TOLD_S:
            self._told_s = now_s
            self._tell()

    def _read(self, now_s: float) -> None:
        """Take in pulse and switch; a switch that was lifted begins a new account of what was lost."""
        self._beat = Pulse(self.home).read()
        state = KillSwitch(self.home).state()
        if state != self._switch:
            self._thrown_s, self._look_s = now_s, 0.0
            if state == LIFTED:
                self.highest = {name: held.account.equity_usd for name, held in self.held.items()}
        self._switch = state

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

    def _must_look(self, verdict: Verdict, now_s: float) -> bool:
        """Tell whether the accounts are looked at now: often at first when there is a reason, then more slowly."""
        if verdict.act is Act.NOTHING:
            self._since_s, pace_s = 0.0, QUIET_LOOK_S
        else:
            self._since_s = self._since_s or now_s
            slow_s = QUIET_LOOK_S if all(held.is_empty for held in self.held.values()) else self.slow_look_s
            pace_s = self.urgent_look_s if now_s - self._since_s < URGENT_S else slow_s
        if now_s - self._look_s < pace_s:
            return False
        self._look_s = now_s
        return True

    async def _look(self, now_s: float) -> None:
        try:
            found_open = await self.open_sessions(frozenset(self.sessions))
            self.sessions |= found_open
        except FAULTS as problem:
            self._tell_fault("an account", problem)
        names = list(self.sessions)
        looks = await asyncio.gather(*(self.sessions[n].look() for n in names), return_exceptions=True)
        for name, found in zip(names, looks, strict=True):
            if isinstance(found, BaseException):
                self._tell_fault(name, found)
                continue
            self.held[name] = found
            equity = found.account.equity_usd
            self.highest[name] = max(self.highest.get(name, equity), equity)

    async def _follow(self, verdict: Verdict) -> None:
        """Throw the switch, end the process that is hung, then act at the venue; tell all of it."""
        switch = KillSwitch(self.home)
        done = []
        if verdict.throw != LIFTED and self._switch != FLATTENED and verdict.throw != self._switch:
            switch.throw(flatten=verdict.throw == FLATTENED)
            done.append(f"kill switch thrown: {switch.state()}")
        if verdict.fence and self._fenced():
            done.append("the hung process was ended")
        if verdict.act >= Act.STOP_OPENING:
            done += await self._act(verdict)
        self.last_act = verdict.act
        for finding in verdict.findings:
            self.alerts.tell(finding, ", ".join(done) or "told only")
        if done and not verdict.findings:
            told = f"the kill switch says {self._switch} and the desk does not follow"
            self.alerts.tell(Finding("switch_unheard", told, f"within {self.policy.late_s} s"), ", ".join(done))

    def _fenced(self) -> bool:
        """End the process that beat last, if it still is that process: it must not wake up over what is done now."""
        beat = self._beat
        if beat is None or not beat.born or beat.boot != self._boot or born(beat.pid) != beat.born:
            return False
        with suppress(ProcessLookupError, PermissionError):
            os.kill(beat.pid, signal.SIGKILL)
            return True
        return False

    async def _act(self, verdict: Verdict) -> list[str]:
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

    async def _shrink(self, name: str, verdict: Verdict) -> str:
        """Cancel what opens; close everything, or what nobody protects while the desk is gone."""
        session, held = self.sessions[name], self.held[name]
        closing = held.positions if verdict.act is Act.FLATTEN else {}
        if verdict.closes_bare and not closing:
            bare, before = held.bare, self._doubted.get(name, {})
            closing, self._doubted[name] = {c: s for c, s in bare.items() if before.get(c) == s}, bare
        await asyncio.gather(session.cancel(held.opening), session.close_out(closing))
        words = [f"{len(held.opening)} opening orders cancelled"] if held.opening else []
        return ", ".join(words + [f"{coin} {size} closed" for coin, size in closing.items()])

    def _tell_fault(self, name: str, problem: BaseException) -> None:
        self.alerts.tell(Finding(f"blind:{name}", f"{name}: {problem}", "an answer of the venue"), "asked again")

    def _is_done(self) -> bool:
        ended = self._beat is not None and self._beat.is_over
        silent = ended and self._beat is not None and self._beat.age_s(time.monotonic(), self._boot) > END_S
        return silent and bool(self.held) and all(held.is_empty for held in self.held.values())

    def _remember(self) -> None:
        """Take up the highest equities of an earlier life."""
        with suppress(OSError, ValueError, TypeError, KeyError, ArithmeticError):
            told = json.loads(self.path.read_text())["highest_usd"]
            self.highest = {name: Decimal(value) for name, value in told.items()}

    def _tell(self) -> None:
        """Say in its file that it lives, and what it sees."""
        body = {
            "pid": os.getpid(), "boot": self._boot, "seen_s": time.monotonic(), "switch": self._switch,
            "accounts": {name: "empty" if held.is_empty else "open" for name, held in self.held.items()},
            "highest_usd": {name: str(value) for name, value in self.highest.items()},
            "acts": self.acts, "alerts": self.alerts.told, "last_act": self.last_act.name.lower(),
        }  # fmt: skip
        temporary = self.path.with_suffix(".tmp")
        with suppress(OSError):
            temporary.write_text(json.dumps(body, indent=1))
            temporary.replace(self.path)
