"""A few kills of tests/chaos/randomiser_kills.py: nothing is lost or doubled, the log ends like an undisturbed one."""

import importlib.util
import sys
from pathlib import Path

import pytest

PATH = Path(__file__).resolve().parents[2] / "chaos" / "randomiser_kills.py"


@pytest.mark.kill("a process is killed with SIGKILL and started again some times")
def test_a_killed_bot_loses_and_doubles_nothing(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("randomiser_kills", PATH)
    assert spec is not None
    assert spec.loader is not None
    kills = importlib.util.module_from_spec(spec)
    sys.modules["randomiser_kills"] = kills
    spec.loader.exec_module(kills)
    answers = kills.killed(tmp_path / "a" / "s.parquet", 6, seed=3, each=40)
    table = kills.check(tmp_path / "a" / "s.parquet", tmp_path / "b" / "s.parquet", answers)
    assert len(table) > 60
