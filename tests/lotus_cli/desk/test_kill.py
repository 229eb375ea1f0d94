"""`lotus kill`: the switch of the home that was named, and of no other."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from full_disk import fill, small_disk

from lotus_cli.main import main
from lotus_desk.safety.kill_switch import KillSwitch


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


def test_nothing_but_the_home_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    (home / "branches").mkdir(parents=True)
    (home / "branches" / "main.json").write_text("{")
    (tmp_path / "lotus.toml").write_text("[trading]\nleverage=500\n[folders]\nhome='elsewhere'\n")
    monkeypatch.chdir(tmp_path)
    assert kill(home).exit_code == 0
    assert KillSwitch(home).state() == "halt"
    (tmp_path / "elsewhere").mkdir()
    done = CliRunner().invoke(main, ["kill", "--flatten"], env={"LOTUS_HOME": ""})
    assert (done.exit_code, KillSwitch(tmp_path / "elsewhere").state()) == (0, "flatten"), done.output
    (tmp_path / "lotus.toml").write_text("not TOML at all [")
    (tmp_path / ".lotus").mkdir()
    done = CliRunner().invoke(main, ["kill"], env={"LOTUS_HOME": ""})
    assert (done.exit_code, KillSwitch(tmp_path / ".lotus").state()) == (0, "halt")


def test_it_is_thrown_on_a_full_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "home") as home:
        fill(home)
        done = kill(home, "--flatten")
        assert (done.exit_code, KillSwitch(home).state()) == (0, "flatten"), done.output
