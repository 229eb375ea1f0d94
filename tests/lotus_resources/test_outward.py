"""The user's command: what it gets, what it never gets, and that nothing is told twice."""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec.structs import replace as changed

from lotus.modules.messages.monitoring import MonitorAlert
from lotus_resources import outward
from lotus_resources.outward import run_command, tell
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger.messages.boxes import lag
from lotus_store.settings.sections import AlertSettings

HOSTILE = "$(touch /tmp/owned); `id` && rm -rf / | \"'\n{}%s"
ALERT = MonitorAlert(
    branch="main",
    time_ms=3_600_000,
    kind="sla",
    subject="night_late",
    found=HOSTILE,
    expected="02:00",
    severity="error",
)
pytestmark = pytest.mark.process("starts the user's command, a process of its own")


def with_command(settings: Settings, code: str, *words: str, timeout_s: float = 10.0) -> Settings:
    """Settings whose command is a line of Python."""
    return replace(settings, alerts=AlertSettings((sys.executable, "-c", code, *words), timeout_s))


def test_a_command_gets_json_and_its_own_words_and_no_secret(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOTUS_PG_DSN", "postgresql://owner:secret@host/db")
    out = tmp_path / "out.json"
    code = "import sys, os, json; json.dump([sys.argv[1:], dict(os.environ), sys.stdin.read()], open(sys.argv[1], 'w'))"
    assert run_command(with_command(settings, code, str(out), "$HOME; id"), ALERT) == ""
    words, environment, text = json.loads(out.read_text())
    assert words == [str(out), "$HOME; id"]
    assert set(environment) <= {*outward.PASSED_ON, "LC_CTYPE"}
    assert json.loads(text)["found"] == HOSTILE


@pytest.mark.parametrize(
    ("code", "problem"), [("raise SystemExit(3)", "ended with 3"), ("import os; os.close(0); print('x' * 10**6)", "")]
)
def test_a_command_that_fails_or_reads_nothing_is_survived(settings: Settings, code: str, problem: str) -> None:
    assert run_command(with_command(settings, code), changed(ALERT, found="x" * 2_000)) == problem
    missing = replace(settings, alerts=AlertSettings(("/no/such/command",)))
    assert "cannot be started" in run_command(missing, ALERT)


def test_a_command_that_hangs_is_ended_with_its_children(settings: Settings, tmp_path: Path) -> None:
    child = tmp_path / "child"
    code = (
        "import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
        "open(sys.argv[1], 'w').write(str(p.pid)); time.sleep(600)"
    )
    assert "was ended" in run_command(with_command(settings, code, str(child), timeout_s=5.0), ALERT)
    pid = int(child.read_text())
    for _ in range(100):
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().split()[2] == "Z":
            return
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    pytest.fail("what the command started went on")


def counting(settings: Settings, tmp_path: Path) -> tuple[Settings, Callable[[], int]]:
    """Settings whose command adds a line to a file, and the number of lines."""
    lines = tmp_path / "lines"
    lines.touch()
    code = "import sys; f = open(sys.argv[1], 'a'); f.write(sys.stdin.read() + chr(10))"
    return with_command(settings, code, str(lines)), lambda: len(lines.read_text().splitlines())


def test_an_alarm_is_told_once_an_hour_by_however_many_at_once(
    settings: Settings, databases: Databases, tmp_path: Path
) -> None:
    own, count = counting(settings, tmp_path)

    def work() -> None:
        with databases.connect("sig", autocommit=True) as sig:
            tell(sig, own, [ALERT, ALERT, changed(ALERT, subject="parity")])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count() == 2
    with databases.connect("sig", autocommit=True) as sig:
        assert lag(sig, "sig").outbox == 2
        assert [a.time_ms for a in tell(sig, own, [ALERT, changed(ALERT, time_ms=7_200_000)])] == [7_200_000]
    assert count() == 3


def test_killed_while_the_command_runs_nothing_is_told_a_second_time(
    settings: Settings, databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, count = counting(settings, tmp_path)

    def killed(of: Settings, alert: MonitorAlert) -> str:
        run_command(of, alert)
        raise KeyboardInterrupt

    monkeypatch.setattr(outward, "run_command", killed)
    with databases.connect("sig", autocommit=True) as sig, pytest.raises(KeyboardInterrupt):
        tell(sig, own, [ALERT])
    monkeypatch.undo()
    with databases.connect("sig", autocommit=True) as sig:
        assert tell(sig, own, [ALERT]) == []
        assert lag(sig, "sig").outbox == 1, "the queue has it"
    assert count() == 1
