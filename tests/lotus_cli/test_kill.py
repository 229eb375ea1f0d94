"""`lotus kill`: the switch of the home that was named, and of no other."""

from pathlib import Path

from click.testing import CliRunner, Result

from lotus_cli.main import main
from lotus_live.trade.kill_switch import KillSwitch


def kill(home: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["kill", "--home", str(home), *words])


def test_the_switch_is_thrown_and_lifted_and_says_whose_it_is(tmp_path: Path) -> None:
    for words, state in (((), "halt"), (("--flatten",), "flatten"), ((), "flatten"), (("--lift",), "lifted")):
        done = kill(tmp_path, *words)
        assert (done.exit_code, done.stdout) == (0, f"kill switch of {tmp_path.resolve()}: {state}\n")
        assert KillSwitch(tmp_path).state() == state


def test_a_home_that_is_not_there_is_no_success(tmp_path: Path) -> None:
    done = kill(tmp_path / "typo")
    assert done.exit_code == 3
    assert f"there is no home at {tmp_path.resolve() / 'typo'}" in done.stderr
    assert not (tmp_path / "typo").exists()
