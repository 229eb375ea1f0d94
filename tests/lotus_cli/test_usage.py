"""Help is quick and light, wrong usage ends with 2, and no mistake of a user shows a traceback."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from small_home import Cli

from lotus_cli.main import COMMANDS, main

pytestmark = pytest.mark.process("in the home that `lotus demo` makes")

HEAVY = ("numba", "dagster", "numpy", "pandas", "pyarrow", "psycopg", "scipy", "duckdb", "uvloop", "websockets")
PROBE = (
    "import sys\nfrom lotus_cli.main import main\n"
    "try:\n    main(['--help'])\nexcept SystemExit as end:\n    assert end.code == 0\n"
    f"print([name for name in {HEAVY!r} if name in sys.modules])"
)


def test_help_lists_every_command_and_imports_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    *text, heavy = done.stdout.splitlines()
    assert heavy == "[]"
    named = {line.split()[0] for line in text if line.startswith("  ") and line.strip()}
    assert set(COMMANDS) <= named


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help(name: str) -> None:
    done = CliRunner().invoke(main, [name, "--help"])
    assert done.exit_code == 0
    assert "Usage: " in done.stdout


WRONG_USAGE = [
    ["nonsense"],
    ["backfill"],
    ["backfill", "--from", "2026-01-05"],
    ["demo", "--days", "1"],
    ["demo", "--world", "real"],
    ["explain"],
    ["backfill", "--from", "2026-13-01", "--to", "2026-13-02"],
    ["backfill", "--from", "20260105", "--to", "2026-01-05"],
    ["verify", "tape", "--day", "yesterday"],
    ["verify", "parity", "no-such-file"],
    ["live", "--replay", "no-such-file"],
    ["live", "--speed", "0"],
    ["replay"],
    ["import", "no-such-file"],
    ["restore", "no-such-file"],
    ["fixtures", "check", "--day", "first"],
    ["detector", "nonsense"],
    ["detector", "new"],
    ["detector", "check", "no-such-file"],
    ["sanity", "--day", "yesterday"],
    ["exchange", "--port", "99999"],
    ["replay", "no-such-file", "--port", "-1"],
    ["up", "--port", "99999"],
    ["up", "--trade-day", "2026-01-08", "--speed", "0"],
]


@pytest.mark.parametrize("words", WRONG_USAGE, ids=" ".join)
def test_wrong_usage_ends_with_2(words: list[str], tmp_path: Path) -> None:
    done = CliRunner().invoke(main, words, env={"LOTUS_HOME": str(tmp_path / "home")})
    assert done.exit_code == 2, done.output
    assert "Error: " in done.stderr or "Usage: " in done.stderr
    assert not (tmp_path / "home").exists()


REFUSED = {
    "days in the wrong order": (
        ["backfill", "--tape", "demo-11", "--from", "2026-01-06", "--to", "2026-01-05"],
        "--from 2026-01-06 is after --to 2026-01-05",
    ),
    "days without tape": (["backfill", "--tape", "demo-11", "--from", "2027-01-01", "--to", "2027-01-02"], "no day"),
    "no such tape": (["verify", "tape", "--tape", "nosuch"], "nosuch"),
    "no such day of tape": (["verify", "tape", "--tape", "demo-11", "--day", "2027-01-01"], "2027-01-01"),
    "no tape to prune": (["tape", "prune", "--tape", "nosuch"], "nosuch"),
    "a backfill of no tape": (["backfill", "--tape", "nosuch", "--from", "2026-01-05", "--to", "2026-01-05"], "nosuch"),
    "a tape's name": (["verify", "tape", "--tape", "../x"], "../x"),
    "no such detector": (["card", "nosuch"], "nosuch"),
    "a day outside the fixtures": (["fixtures", "check", "--day", "99"], "99"),
    "no sanity table of that day": (["sanity", "--tape", "demo-11", "--day", "2027-01-01"], "2027-01-01"),
    "no sanity table of that tape": (["sanity", "--tape", "nosuch"], "nosuch"),
    "no such asset in the sanity table": (["sanity", "--tape", "demo-11", "--asset", "nosuch"], "nosuch"),
    "no such family": (["detector", "new", "mine", "--family", "nosuch"], "nosuch"),
    "a detector's name": (["detector", "new", "Mine!"], "Mine!"),
    "profit and loss of another tape": (
        ["pnl", "--tape", "nosuch", "--branch", "demo-11"],
        "tape nosuch has no quotes",
    ),
    "no such tape to trade": (["up", "--tape", "nosuch", "--trade-day", "2026-01-08"], "nosuch"),
    "a pace that cannot hold": (["up", "--trade-day", "2026-01-08", "--speed", "120"], "at most 30 times"),
    "no such day to trade": (["up", "--tape", "demo-11", "--trade-day", "2027-01-01"], "has no day 2027-01-01"),
    "no such event": (["explain", "0" * 32], "0" * 32),
    "no event at all": (["explain", "x"], "x"),
    "an address that is none": (["record", "--url", "nonsense", "--tape", "nowhere"], "nonsense"),
}


@pytest.mark.parametrize("which", REFUSED)
def test_mistakes_are_explained_and_end_with_3(lotus: Cli, which: str) -> None:
    words, names = REFUSED[which]
    assert names in lotus.refused(*words)


def test_ctrl_c_ends_with_130(lotus: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lotus_store.backup.backup", interrupted)
    assert lotus("backup", "nowhere", code=130).stderr == "lotus: interrupted\n"
