"""Secrets are their owner's from the first byte on, whatever the umask, and replaced whole."""

import os
import stat
from pathlib import Path

from lotus_desk.accounts.secret_file import write_secret


def test_a_secret_is_private_under_any_umask_and_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "agent"
    before = os.umask(0)
    try:
        write_secret(path, "first, and longer\n")
        write_secret(path, "zweiter Schlüssel\n")
    finally:
        os.umask(before)
    assert path.read_text("utf-8") == "zweiter Schlüssel\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["agent"]
