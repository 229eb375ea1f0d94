"""The supervisor: children are stopped with everything they spawned, an early end is told with its last words."""

import signal
import sys
import time
from pathlib import Path

import pytest

from lotus_resources.processes import ProcessError, Processes, _group_lives

GRANDCHILD = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)']); "
STUBBORN = "import signal, time; [signal.signal(s, signal.SIG_IGN) for s in (2, 15)]; print('deaf', flush=True); "


def test_stop_ends_child_and_grandchild(tmp_path: Path) -> None:
    with Processes(tmp_path) as children:
        child = children.start("parent", [sys.executable, "-c", GRANDCHILD + "time.sleep(99)"])
        time.sleep(0.5)
        group = child.process.pid
        assert _group_lives(group)
    assert not _group_lives(group)
    assert child.process.poll() is not None


def test_children_of_a_background_job_that_ignores_interrupts_hear_theirs(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Processes(tmp_path) as children:
            child = children.start(
                "plain", [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(99)"]
            )
            children.wait_ready("plain", lambda: "up" in child.last_words(), 10)
    finally:
        signal.signal(signal.SIGINT, before)
    assert "KeyboardInterrupt" in child.last_words()


def test_one_child_is_ended_and_started_again_under_its_name(tmp_path: Path) -> None:
    with Processes(tmp_path) as children:
        sleeps = [sys.executable, "-c", "import time; time.sleep(99)"]
        first, other = children.start("one", sleeps), children.start("other", sleeps)
        children.end("one")
        assert first.process.poll() is not None
        children.check()
        again = children.start("one", sleeps)
        assert [again.process.poll(), other.process.poll()] == [None, None]
    assert again.process.poll() is not None


def test_a_deaf_child_is_killed(tmp_path: Path) -> None:
    with Processes(tmp_path, patience_s=0.5) as children:
        child = children.start("deaf", [sys.executable, "-c", STUBBORN + "time.sleep(99)"])
        children.wait_ready("deaf", lambda: "deaf" in child.last_words(), 10)
        group = child.process.pid
    assert not _group_lives(group)


def test_an_orphaned_grandchild_of_a_dead_child_is_ended(tmp_path: Path) -> None:
    with Processes(tmp_path, patience_s=0.5) as children:
        child = children.start("short", [sys.executable, "-c", GRANDCHILD])
        child.process.wait(10)
        assert _group_lives(child.process.pid)
    assert not _group_lives(child.process.pid)


def test_an_early_end_is_told_with_its_last_words(tmp_path: Path) -> None:
    with Processes(tmp_path) as children:
        children.start("broken", [sys.executable, "-c", "raise SystemExit('no such port')"])
        with pytest.raises(ProcessError, match=r"broken ended with code 1.*no such port"):
            children.wait_ready("broken", lambda: False, 20)


def test_what_is_never_ready_is_told(tmp_path: Path) -> None:
    with Processes(tmp_path) as children:
        children.start("slow", [sys.executable, "-c", "import time; time.sleep(99)"])
        with pytest.raises(ProcessError, match="slow is not ready"):
            children.wait_ready("slow", lambda: False, 0.3)
