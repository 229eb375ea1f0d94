"""Help is quick and light; every wrong usage is told: what was found, what was expected, the cause, and the exit code.

What is typed wrongly stands in `wrong_usages`.
"""

import gzip
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from small_home import Cli
from wrong_usages import CASES, REFUSED, USAGE, leaves

from lotus_cli.main import COMMANDS, main

HEAVY = ("numba", "dagster", "numpy", "pandas", "pyarrow", "psycopg", "scipy", "duckdb", "uvloop", "websockets")
PROBE = (
    "import sys\nfrom lotus_cli.main import main\n"
    "try:\n    main(['--help'])\nexcept SystemExit as end:\n    assert end.code == 0\n"
    f"print([name for name in {HEAVY!r} if name in sys.modules])"
)
RAW = re.compile(
    r"Traceback|\{'|\('|\['|\bb'|<class|<unicode|<lotus|\bNone\b|\b[A-Z]\w+Error\b|(?<!\d)1[5-9]\d{11}(?!\d)|\.py\b"
    r"|codec can't|object at 0x"
)
LEAST = 200
READS = ("lessons", "explain", "pnl", "priors", "review", "sanity", "card", "signal", "atoms", "dm", "trade", "tape")
BATCH = ("dagster", "pandas", "sklearn", "matplotlib")


def test_help_lists_every_command_and_imports_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    *text, heavy = done.stdout.splitlines()
    assert heavy == "[]"
    named = {line.split()[0] for line in text if line.startswith("  ") and line.strip()}
    assert set(COMMANDS) <= named


def test_what_reads_imports_no_library_of_batch_work() -> None:
    modules = [COMMANDS[name][0] for name in READS] + ["lotus_store.facts.pnl.facts", "lotus_store.facts.atoms"]
    code = f"import sys, importlib; [importlib.import_module(name) for name in {modules!r}]; "
    code += f"print([name for name in {BATCH!r} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("name", ["lessons", "sanity", "trade"])
def test_a_table_is_shown_without_kernels(name: str) -> None:
    code = f"import sys, {COMMANDS[name][0]}; print('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help(name: str) -> None:
    done = CliRunner().invoke(main, [name, "--help"])
    assert done.exit_code == 0
    assert "Usage: " in done.stdout


def test_every_command_has_cases_of_its_own() -> None:
    assert len(CASES) >= LEAST
    typed = [case.words for case in CASES.values()]
    for name, _ in leaves():
        assert sum(words == name or words.startswith(f"{name} ") for words in typed) >= 2, name


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Files of every kind, a folder, a name that is free, and a port that is not."""
    folder = tmp_path_factory.mktemp("things")
    frame = b'1780000000000000000 {"channel":"bbo","data":{"coin":"BTC","time":1780000000000,"bbo":[null,null]}}\n'
    contents = {
        "text": b"x\n", "tape": frame, "broken": b"[score\n", "empty": b"", "rubbish": bytes(range(256)) * 9,
        "csv": b"ts,x\n1,2\n", "yaml": b"a: 1\nb: [\n", "cut": gzip.compress(frame * 99)[:-20],
    }  # fmt: skip
    found = {"folder": str(folder / "folder"), "new": str(folder / "nosuch")}
    (folder / "folder").mkdir()
    for name, content in contents.items():
        (folder / name).write_bytes(content)
        (folder / f"{name}.d").mkdir()
        (folder / f"{name}.d" / "x.csv").write_bytes(content)
        found |= {name: str(folder / name), f"{name}.d": str(folder / f"{name}.d")}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield found | {"port": str(taken.getsockname()[1])}
    assert not (folder / "nosuch").exists()


@pytest.mark.process("in the home that `lotus demo` makes")
@pytest.mark.parametrize("which", CASES)
def test_a_wrong_usage_is_told(lotus: Cli, things: dict[str, str], which: str, tmp_path: Path) -> None:
    case = CASES[which]

    def filled(text: str) -> str:
        return re.sub(r"\{([a-z.]+)\}", lambda name: things.get(name[1], name[0]), text)

    name, _, value = case.where.partition("=")
    where = {"LOTUS_HOME": str(lotus.home), "LOTUS_CONFIG": str(lotus.home / "lotus.toml")}
    if name == "TOML":
        name, path = "LOTUS_CONFIG", tmp_path / "lotus.toml"
        path.write_text(value)
        value = str(path)
    where |= {name: filled(value)} if name else {}
    done = CliRunner().invoke(main, shlex.split(filled(case.words)), env=where)
    assert_told(done, case.code)
    for said in case.said:
        assert filled(said) in done.output, done.output


def assert_told(done: Result, code: int) -> None:
    """Require an exit code and words for a person."""
    assert done.exception is None or isinstance(done.exception, SystemExit), repr(done.exception)
    assert done.exit_code == code, done.output
    assert not RAW.search(done.output), done.output
    if code == REFUSED:
        assert "lotus: " in done.stderr
        assert "; expected: " in done.stderr
        assert done.stdout == ""
    if code == USAGE:
        assert "Usage: " in done.stderr


def test_ctrl_c_ends_with_130(lotus: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lotus_store.backup.backup", interrupted)
    assert lotus("backup", "nowhere", code=130).stderr == "lotus: interrupted\n"
