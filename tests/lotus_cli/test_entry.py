"""Ctrl-C at any moment: one line and exit code 130, no traceback; so do a prompt, and a reader that has gone."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from lotus_cli.terminal.output import explained

LOTUS = [sys.executable, "-P", "-c", "from lotus_cli.entry import main; main()"]
LATEST_S = 1.5
COMMANDS = {
    "explain": ["explain", "x"],
    "learn": ["learn", "--explain-columns"],
    "record": ["record", "--url", "ws://127.0.0.1:9/ws"],
    "db check": ["db", "check"],
    "help": ["pnl", "--help"],
}


@pytest.mark.process("commands as processes, interrupted at moments that are drawn")
@pytest.mark.parametrize("which", COMMANDS)
def test_an_early_interrupt_is_told_in_one_line(which: str, tmp_path: Path) -> None:
    drawn = random.Random(which)
    for _ in range(2):
        command = [*LOTUS, *COMMANDS[which], *(["--home", str(tmp_path)] if which not in ("learn", "help") else [])]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as begun:
            time.sleep(drawn.uniform(0.15, LATEST_S))
            begun.send_signal(signal.SIGINT)
            out, err = begun.communicate(timeout=60)
        assert "Traceback" not in out + err
        assert "Aborted" not in err
        if begun.returncode == 130:
            assert err.endswith("lotus: interrupted\n")
        else:  # it had ended, record ends in order, or Python itself had not begun: a shell says 130 of that, too
            assert begun.returncode in (0, 3, -signal.SIGINT), err


@click.command()
@explained
def asks() -> None:
    """Wait for an answer."""
    click.prompt("sentence")


def test_an_interrupt_at_a_prompt_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_: object, **__: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("click.termui.visible_prompt_func", interrupted)
    with pytest.raises(SystemExit, match="130"):
        asks.main([])
    assert capsys.readouterr().err == "lotus: interrupted\n"


def test_a_prompt_without_anybody_is_refused() -> None:
    done = CliRunner().invoke(asks, input="")
    assert done.exit_code == 3
    assert "lotus: no answer was given; expected: a line typed at the prompt" in done.stderr


@click.command()
@explained
def tears() -> None:
    """Fail of Ctrl-C as a library does that has made an error of its own of it."""
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt:
        raise ImportError("initialization failed") from None


def test_an_error_that_came_of_an_interrupt_is_one() -> None:
    assert CliRunner().invoke(tears).exit_code == 130


@pytest.mark.process("a command whose reader goes")
def test_a_reader_that_has_gone_is_no_traceback(tmp_path: Path) -> None:
    with subprocess.Popen([*LOTUS, "detector", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as begun:
        assert begun.stdout is not None
        begun.stdout.close()
        _, err = begun.communicate(timeout=60)
    assert (begun.returncode, err) == (141, b"")
