"""`lotus db`, `doctor`, `backup`, `restore` and `card`: looking after a home."""

from collections.abc import Callable
from pathlib import Path

import pytest
from small_home import Cli, Facts

from lotus.detectors.registry import shipped_detectors
from lotus_store.postgres.migrations import LOTUS_DATABASES

pytestmark = pytest.mark.process("in the home that `lotus demo` makes")


def test_databases_are_migrated_once_and_checked(fresh: Cli) -> None:
    first = fresh.json("db", "migrate")
    assert set(first["versions"]) == set(LOTUS_DATABASES)
    assert fresh.json("db", "migrate") == first
    assert fresh.json("db", "check") == {**first, "equal": True}
    assert fresh.json("verify", "ledger") == {
        "schemas": first["versions"], "equal": True, "missing": [], "extra": [], "changed": [], "numbers": [],
        "rows": 0, "waiting": 0,
    }  # fmt: skip


def test_the_doctor_names_what_is_wrong(lotus: Cli) -> None:
    well = lotus.json("doctor")
    assert set(well) == {"home", "python", "kernels", "folder", "disk", "databases"}
    assert [k for k, v in well.items() if str(v).startswith("WRONG")] == []
    ill = lotus.json("doctor", code=1, LOTUS_PG_DSN="host=/nonexistent connect_timeout=1")
    assert ill["databases"].startswith("WRONG: ")
    config = lotus.home / "greedy.toml"
    config.write_text("[tape]\nmin_free_gb = 1e9\n")
    assert lotus.json("doctor", code=1, LOTUS_CONFIG=str(config))["disk"].startswith("WRONG: ")


def test_a_backup_restored_into_another_home_is_the_same(
    lotus: Cli, facts: Facts, new_home: Callable[[], Cli], tmp_path: Path
) -> None:
    kept = lotus.json("backup", tmp_path / "ledgers")
    assert kept["sig"] > 0
    other = new_home()
    assert other.json("restore", tmp_path / "ledgers") == kept
    assert other.json("restore", tmp_path / "ledgers") == kept
    assert other.json("backup", tmp_path / "again") == kept
    told = other.json("explain", facts["example_event"], LOTUS_LAKE=str(lotus.home / "lake"))
    assert told["exact"] is True
    (tmp_path / "cut").write_bytes((tmp_path / "ledgers").read_bytes()[:-200])
    assert "cut" in other.refused("restore", tmp_path / "cut")


def test_cards_show_what_a_detector_is(fresh: Cli) -> None:
    known = {d.detector_id: d for d in shipped_detectors()}
    assert set(fresh.json("card")) == set(known)
    for name, detector in known.items():
        card = fresh.json("card", name)
        assert (card["detector_id"], card["horizon_s"]) == (name, detector.horizon_s)
    assert "horizon_s" in fresh("card", "micro_drift").stdout
