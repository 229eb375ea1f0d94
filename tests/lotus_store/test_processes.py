"""A process is known by machine, start of the machine and its own start, not by its number alone."""

import os
import socket
import subprocess
import sys

from lotus_store.processes import (
    BOOT_TAG,
    BORN_TAG,
    HOST_TAG,
    PID_TAG,
    boot_id,
    born,
    is_from_here,
    is_running,
    own_tags,
)


def test_a_number_with_another_birth_is_another_process() -> None:
    pid = os.getpid()
    assert is_running(pid, born(pid))
    assert is_running(pid, "")
    assert not is_running(pid, born(pid) + "0")


def test_a_dead_process_that_nobody_has_waited_for_has_no_birth_any_more() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert child.stdout is not None
    start = born(child.pid)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert born(child.pid) == ""
    child.wait()
    assert not is_running(child.pid, start)


def test_the_tags_of_this_process_name_this_machine() -> None:
    tags = own_tags()
    assert is_from_here(tags[HOST_TAG], tags[BOOT_TAG])
    assert is_running(int(tags[PID_TAG]), tags[BORN_TAG])
    assert not is_from_here("", boot_id())
    assert not is_from_here(socket.gethostname() + "x", boot_id())
