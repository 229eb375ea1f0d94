"""Keys are private files, whole after a kill, refused when others may read them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lotus.errors import MessageError
from lotus_herald.keys import Keys


@pytest.mark.parametrize(("place", "mode"), [("sig.key", 0o640), ("sig.key", 0o604), (".", 0o750), (".", 0o701)])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, place: str, mode: int) -> None:
    Keys(tmp_path / "k").verify_key("sig")
    (tmp_path / "k" / place).chmod(mode)
    with pytest.raises(MessageError, match=f"has the mode {mode:04o}.*(?s:.)*chmod"):
        Keys(tmp_path / "k").verify_key("sig")


def test_keys_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        keys = Keys(tmp_path / "deep" / "k")
        keys.verify_key("sig")
        keys.replace("dm")
        keys.replace("sig")
    finally:
        os.umask(before)
    assert (tmp_path / "deep" / "k").stat().st_mode & 0o777 == 0o700
    assert {p.name: p.stat().st_mode & 0o777 for p in (tmp_path / "deep" / "k").iterdir()} == {
        "dm.key": 0o600,
        "sig.key": 0o600,
    }


def test_a_kill_while_keys_are_replaced_leaves_a_whole_key(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from lotus_herald.keys import Keys; k = Keys(Path(sys.argv[1]))\n"
        "while True: k.replace('sig'); print('x', flush=True)"
    )
    folder = tmp_path / "k"
    seen = set()
    for lines in range(1, 5):
        child = subprocess.Popen([sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        for _ in range(lines):
            child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        child.wait()
        seen.add(Keys(folder).verify_key("sig"))
    assert len(seen) == 4
    Keys(folder).replace("sig")
    assert [p.name for p in folder.iterdir()] == ["sig.key"], "what a killed writer left is swept"
