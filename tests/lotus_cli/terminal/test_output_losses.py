"""What a recording loses is told, and above one line in a hundred by an exit code of its own."""

from pathlib import Path

import pytest
from small_home import Cli

from lotus_cli.terminal.output import tell_losses

START_NS = 1_780_000_000_000_000_000
QUOTE = '{{"channel":"bbo","data":{{"coin":"BTC","time":{},"bbo":[{{"px":"100.0","sz":"1.0","n":1}},null]}}}}'


@pytest.mark.parametrize(("lines", "lost", "code"), [(1000, 0, 0), (1000, 10, 0), (1000, 11, 4), (1, 1, 4)])
def test_one_line_in_a_hundred_may_be_lost(
    lines: int, lost: int, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tell_losses(lines, {"json": lost} if lost else {}) == code
    told = capsys.readouterr().err
    assert ("expected: at most 1%" in told) == (code == 4)
    assert (f"{lost:,} of {lines:,}" in told) == bool(lost)


def test_an_import_that_loses_lines_ends_with_4(tmp_path: Path) -> None:
    stamps = [START_NS + 500_000_000 * i for i in range(60)]
    lines = [f"{ns} {QUOTE.format(ns // 1_000_000)}" for ns in stamps]
    lines[30] = f"{stamps[30]} {{"
    file, home = tmp_path / "one-of-sixty.txt", tmp_path / "home"
    file.write_text("\n".join(lines) + "\n")
    home.mkdir()
    (home / "lotus.toml").touch()
    done = Cli(home)("import", "--tape", "t", file, code=4)
    assert "put aside 1 of 60 lines (1.7%)" in done.stderr
