"""`lotus doctor` and others in a home that this user may not use: told, no traceback."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from lotus_cli.main import main

NOBODY = 65534


@pytest.fixture
def shut(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home that may neither be written nor searched by the test's user, who is root no longer."""
    with tempfile.TemporaryDirectory(prefix="lotus-shut-") as name:
        place = Path(name)
        place.chmod(0o755)
        (place / "lotus.toml").touch()
        monkeypatch.setenv("LOTUS_CONFIG", str(place / "lotus.toml"))
        (place / "home").mkdir(mode=0o000)
        yield place / "home"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("doctor", 1, "WRONG: "),
        ("pnl", 3, "Permission denied: "),
        ("tape list", 3, "Permission denied: "),
        ("db check", 3, "Permission denied: "),
    ],
)
def test_a_home_that_may_not_be_used(shut: Path, words: str, code: int, said: str) -> None:
    CliRunner().invoke(main, [*words.split(), "--help"])  # modules are read while they may be
    CliRunner().invoke(main, ["doctor", "--home", str(shut / "lotus.toml")], env={"LOTUS_CONFIG": "nowhere"})
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        done = CliRunner().invoke(main, [*words.split(), "--home", str(shut)])
    finally:
        if root:
            os.seteuid(0)
    assert done.exit_code == code, (done.output, repr(done.exception))
    assert said in done.output
    assert str(shut) in done.output
    assert "Traceback" not in done.output
