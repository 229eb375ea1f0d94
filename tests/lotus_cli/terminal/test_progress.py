"""What a command shows while it works: a bar in a terminal, a few lines without one, nothing with --json."""

import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass
from fcntl import ioctl

import pytest

from lotus_cli.terminal.progress import Progress

COMMAND = """
import sys, time, click
from lotus.errors import LotusError
from lotus_cli.terminal.output import emit, explained
from lotus_cli.terminal.progress import Progress

@click.command()
@click.argument("how")
@explained
def work(how):
    with Progress() as progress:
        progress("opening", 0)
        for day in range(3):
            progress("days learned", day, 3, f"2026-01-0{day} lessons")
            time.sleep(0.3)
        if how == "wait":
            progress("days learned", 2, 3, "waits")
            time.sleep(60)
        if how == "fail":
            raise LotusError("2 days", "3 days", "one was lost")
        progress("a sentence")
        progress("days learned", 3, 3)
        progress.watch("lines", 10, lambda: 7)
        time.sleep(0.3)
    emit({"days": 3}, False)

work()
"""
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a command wrote into a terminal (standard error) and into a pipe (standard output)."""

    code: int
    terminal: str
    output: str
    before: list[object]
    after: list[object]

    @property
    def text(self) -> str:
        """What was written into the terminal without its control sequences."""
        return ESCAPE.sub("", self.terminal)


def in_terminal(how: str, size: tuple[int, int] = (24, 100), term: str = "xterm", stop: str = "") -> Shown:
    """Run the command with a terminal (rows, columns) as standard error; with `stop` interrupt it at that word."""
    main, side = pty.openpty()
    ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    before = termios.tcgetattr(side)
    environment = {**os.environ, "TERM": term}
    environment.pop("COLUMNS", None)
    seen, stopped, deadline = b"", False, time.monotonic() + 30.0
    words = [sys.executable, "-c", COMMAND, how]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=side, stdin=side, env=environment) as command:
        while time.monotonic() < deadline:
            ended = command.poll() is not None
            if select.select([main], [], [], 0.05)[0]:
                seen += os.read(main, 65536)
            elif ended:
                break
            if stop and stop.encode() in seen and not stopped:
                command.send_signal(signal.SIGINT)
                stopped = True
        assert command.stdout is not None
        output = command.stdout.read().decode()
    after = termios.tcgetattr(side)
    os.close(main)
    os.close(side)
    return Shown(command.returncode, seen.decode(), output, before, after)


def test_a_terminal_shows_the_work_at_hand_and_leaves_the_result_alone() -> None:
    shown = in_terminal("whole")
    assert (shown.code, shown.output) == (0, "days  3\n")
    assert re.search(r"days learned \S+ 1 of 3, \d s, 2026-01-01 lessons", shown.text)
    assert "lines" in shown.text
    assert "7 of 10" in shown.text
    assert re.search(r"\[ +\d\.\d s\] a sentence\r\n", shown.text)
    assert shown.terminal.endswith("\x1b[?25h\r\x1b[1A\x1b[2K"), "cursor shown, bar erased"
    assert shown.before == shown.after


def test_an_error_stands_below_the_bar_that_is_gone() -> None:
    shown = in_terminal("fail")
    assert shown.code == 3
    last = shown.terminal.rpartition("\x1b[2K")[2]
    assert last == "lotus: 2 days; expected: 3 days; likely cause: one was lost\r\n"


def test_ctrl_c_in_a_bar_leaves_the_terminal_as_it_was() -> None:
    shown = in_terminal("wait", stop="waits")
    assert (shown.code, shown.output) == (130, "")
    assert shown.terminal.rpartition("\x1b[2K")[2] == "lotus: interrupted\r\n"
    assert shown.terminal.count("\x1b[?25h") == shown.terminal.count("\x1b[?25l")
    assert shown.before == shown.after


@pytest.mark.parametrize("size", [(0, 0), (1, 1), (24, 7)])
def test_a_terminal_of_any_width_is_no_reason_to_fail(size: tuple[int, int]) -> None:
    shown = in_terminal("whole", size)
    assert (shown.code, shown.output) == (0, "days  3\n")
    assert "Traceback" not in shown.text


def test_a_dumb_terminal_gets_lines() -> None:
    shown = in_terminal("whole", term="dumb")
    assert "\x1b" not in shown.terminal
    assert re.fullmatch(r"\[ +\d+\.\d s\] a sentence\r\n", shown.terminal), shown.terminal


class Time:
    """A clock that tests move."""

    now_s = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Time:
    """The time that a progress sees."""
    moved = Time()
    monkeypatch.setattr("lotus_cli.terminal.progress.time.monotonic", moved)
    return moved


def learn(progress: Callable[..., None], clock: Time) -> None:
    """Tell of 14 days of 9 s each, with stages between."""
    for day in range(14):
        for stage in ("signal_events", "lessons"):
            progress("days learned", day, 14, f"day {day} {stage}")
            clock.now_s += 4.5
    progress("days learned", 14, 14)


def test_without_a_terminal_there_are_few_lines_with_an_estimate(
    clock: Time, capsys: pytest.CaptureFixture[str]
) -> None:
    with Progress() as progress:
        progress("loading", 0)
        clock.now_s += 0.5
        learn(progress, clock)
        progress("done")
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == [
        "[  18.5 s] days learned: 2 of 14, about 2 min left, day 2 signal_events",
        "[  36.5 s] days learned: 4 of 14, about 2 min left, day 4 signal_events",
    ]
    assert lines[-2:] == ["[ 126.5 s] days learned: 14 of 14, 126 s", "[ 126.5 s] done"]
    assert len(lines) == 8


def test_a_sentence_ends_work_of_unknown_length_and_no_other(clock: Time, capsys: pytest.CaptureFixture[str]) -> None:
    with Progress() as progress:
        progress("stopping", 0)
        clock.now_s += 6
        progress("stopped")
        progress("days learned", 1, 2)
        clock.now_s += 2
        progress("a sentence between")
        progress("days learned", 2, 2)
    told = [line.partition("] ")[2] for line in capsys.readouterr().err.splitlines()]
    assert told == ["stopped", "a sentence between", "days learned: 2 of 2, 2 s"]


def test_quiet_is_silent(clock: Time, capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(quiet=True) as progress:
        learn(progress, clock)
        progress.watch("lines", 10, lambda: 1)
        progress("done")
    assert capsys.readouterr() == ("", "")


def broken(clock: Time) -> None:
    """Fail in the middle of work."""
    with Progress() as progress:
        progress("days learned", 1, 2)
        clock.now_s += 9
        raise OSError("full")


def test_what_fails_is_not_told_as_done(clock: Time, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OSError, match="full"):
        broken(clock)
    assert capsys.readouterr().err == ""
