"""That a command works, on standard error: lines with the seconds since its start, in a terminal also a bar.

Without a terminal (and with TERM=dumb) there are lines only, few of them and without control characters; a command
that was asked for JSON is silent. How the bar looks is `bar`'s, what is left is estimated by `pace`.
"""

import math
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING

from lotus_cli.terminal.pace import PaceMeter, left_words

if TYPE_CHECKING:
    from lotus_cli.terminal.bar import LiveBar

LOADING = "loading"  # of what is imported, which takes seconds
LINE_EVERY_S, LINE_EVERY_SHARE = 15.0, 1 / 8  # without a terminal: no sooner, and ever rarer the longer it takes
WORTH_A_LINE_S = {True: 1.0, False: 5.0}  # counted work that ended sooner is not told, nor such of unknown length


@dataclass(slots=True)
class Work:
    """One piece of work, as far as it has come; `measure` is asked for what is done where nobody tells it."""

    name: str
    pace: PaceMeter
    began_s: float
    done: float = 0.0
    total: float = 0.0
    at: str = ""
    measure: Callable[[], float] | None = None

    def look(self, now_s: float) -> None:
        """Ask what is done, where nobody tells it."""
        if self.measure is not None:
            self.done = min(self.measure(), self.total or math.inf)
            self.pace.feed(self.done, now_s)

    def counted(self) -> str:
        """Return what is done of how much, nothing where nobody knows."""
        if self.total == 1.0:
            return f"{self.done:.0%}" if 0.0 < self.done < 1.0 else ""
        if self.total:
            return f"{self.done:,.0f} of {self.total:,.0f}"
        return f"{self.done:,.0f}" if self.done else ""

    def state(self, now_s: float) -> str:
        """Return what is done, what is left (else how long it takes already), and what is at hand."""
        self.look(now_s)
        left = left_words(self.pace.left_s(self.total, now_s)) if self.total else ""
        return ", ".join(part for part in (self.counted(), left or f"{now_s - self.began_s:.0f} s", self.at) if part)


class Progress:
    """Shows the steps that it hears (`lotus.progress.steps`); within a `with` also as a bar while work is at hand."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._began_s = self._told_s = time.monotonic()
        self._work: Work | None = None
        self._bar: LiveBar | None = None
        self._draws = False
        self._lock = threading.RLock()

    def __enter__(self) -> "Progress":
        self._draws = not self._quiet and has_terminal()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        with self._lock:
            if kind is None:
                self._close()
            self._work, self._draws = None, False
            self._draw()

    def __call__(self, work: str, done: float | None = None, total: float = 0.0, at: str = "") -> None:
        """Show a step of work, or print a sentence as a line; a sentence ends work of unknown length."""
        if self._quiet:
            return
        with self._lock:
            if done is None:
                self._say(work)
                return
            now_s = time.monotonic()
            if self._work is None or self._work.name != work:
                self._close()
                self._work = Work(work, PaceMeter(now_s, done), now_s)
            self._work.done, self._work.total, self._work.at = done, total, at
            self._work.pace.feed(done, now_s)
            if total and done >= total:
                self._close()
            self._draw()
            if self._work is not None and self._bar is None and self._is_due(now_s):
                self._line(f"{work}: {self._work.state(now_s)}")

    def _is_due(self, now_s: float) -> bool:
        return now_s - self._told_s >= max(LINE_EVERY_S, LINE_EVERY_SHARE * (now_s - self._began_s))

    def watch(self, work: str, total: float, measure: Callable[[], float]) -> None:
        """Begin work of which `measure` knows what is done (total 0: unknown); a terminal asks it again and again."""
        self(work, 0, total)
        if self._work is not None:
            self._work.measure = measure

    @property
    def seconds(self) -> float:
        """Seconds since this progress began."""
        return time.monotonic() - self._began_s

    def _close(self) -> None:
        """End the work at hand, with a line when it was long."""
        work, self._work = self._work, None
        if work is None or (took_s := time.monotonic() - work.began_s) < WORTH_A_LINE_S[work.total > 0]:
            return
        work.look(time.monotonic())
        count = work.counted() if work.done >= work.total else ""
        self._line(f"{work.name}: " + ", ".join(part for part in (count, f"{took_s:.0f} s") if part))

    def _say(self, text: str) -> None:
        if self._work is not None and not self._work.total and self._work.measure is None:
            self._work = None
        self._line(text)
        self._draw()

    def _draw(self) -> None:
        """Let the bar stand while there is work."""
        if self._work is None and self._bar is not None:
            self._bar.end()
            self._bar = None
        elif self._work is not None and self._bar is None and self._draws:
            from lotus_cli.terminal.bar import LiveBar

            self._bar = LiveBar(self._row)

    def _line(self, text: str) -> None:
        self._told_s = time.monotonic()
        line = f"[{self.seconds:6.1f} s] {text}"
        if self._bar is None:
            print(line, file=sys.stderr, flush=True)
        else:
            self._bar.line(line)

    def _row(self) -> tuple[str, float | None, str]:
        """Return the name of the work at hand, its share (None: unknown) and its state, for the bar."""
        work = self._work
        if work is None:
            return "", None, ""
        state = work.state(time.monotonic())
        return work.name, work.done / work.total if work.total else None, state


def has_terminal() -> bool:
    """Tell whether standard error is a terminal on which a line may be drawn over."""
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") not in ("", "dumb", "unknown")
