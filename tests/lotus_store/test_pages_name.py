"""`lotus_store/private.py`: the name of a home's pages is drawn once, the same for all, never of another form."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lotus.errors import ConfigError
from lotus.loopback import OWN_NAME
from lotus_store.private import PAGES_NAME, name_of_home, private_folder


def test_a_home_keeps_its_name_and_two_homes_have_two(tmp_path: Path) -> None:
    names = [name_of_home(tmp_path / home) for home in ("a", "a", "b")]
    assert OWN_NAME.fullmatch(names[0])
    assert names[0] == names[1] != names[2]
    folder = tmp_path / "a" / "keys"
    assert [place.stat().st_mode & 0o777 for place in (folder, folder / PAGES_NAME)] == [0o700, 0o600]


def test_those_that_start_at_once_have_one_name(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(lambda _: name_of_home(tmp_path), range(64)))
    assert len(names) == 1
    assert [path.name for path in (tmp_path / "keys").iterdir()] == [PAGES_NAME]


@pytest.mark.parametrize("text", ["", "8000", "5E" * 16, "evil.example/"])
def test_an_edited_file_is_refused(tmp_path: Path, text: str) -> None:
    name_of_home(tmp_path)
    (tmp_path / "keys" / PAGES_NAME).write_text(text)
    with pytest.raises(ConfigError, match="pages_name holds"):
        name_of_home(tmp_path)


def test_a_home_that_cannot_be_written_to_has_a_name_for_one_start(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("no folder")
    assert OWN_NAME.fullmatch(name_of_home(tmp_path))


def test_what_a_killed_process_left_is_gone_when_the_next_has_written(tmp_path: Path) -> None:
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    folder = tmp_path / "keys"
    private_folder(folder)
    (folder / f".{PAGES_NAME}.{gone.stdout.strip()}.ab12.tmp").write_text("half")
    name_of_home(tmp_path)
    assert [path.name for path in folder.iterdir()] == [PAGES_NAME]
