"""`lotus export lessons`: a module of the rules in force; what cannot be exported is told."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from lessons_of import events_of_last_year, lessons_of_last_year

from lotus.errors import BeliefError
from lotus_cli.export import command
from lotus_cli.main import main
from lotus_lab.export.carried import FORMAT, hash_of

NOTHING: dict[str, Any] = {
    "format": FORMAT, "of": "a branch", "from_ms": 0, "until_ms": 10**12, "why_until": "a test", "features": [],
    "edges": {}, "groups": {}, "caps": {}, "detectors": {}, "vector": [],
}  # fmt: skip


@pytest.fixture
def beliefs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every home believe the same."""
    data = {**NOTHING, "hash": hash_of(NOTHING)}
    monkeypatch.setattr(command, "_data", lambda home, branch, valid_days: data)


def run(*words: str) -> Any:
    """Run the command."""
    return CliRunner().invoke(main, ["export", "lessons", *words], catch_exceptions=False)


def test_what_is_too_old_is_written_and_told(beliefs: None, tmp_path: Path) -> None:
    done = run("--to", "python", "--out", str(tmp_path / "l.py"))
    assert done.exit_code == 0
    assert "too old by now and refuses to advise" in done.stdout
    assert "LESSONS = CarriedLessons(" in (tmp_path / "l.py").read_text()
    facts = json.loads(run("--to", "json", "--out", str(tmp_path / "l.json"), "--json").stdout)
    assert (facts["refuses_now"], facts["until_ms"], facts["rules"]) == (True, 10**12, 0)
    assert json.loads((tmp_path / "l.json").read_text())["hash"] == facts["hash"]


def test_a_place_that_cannot_be_written_to_is_explained(beliefs: None, tmp_path: Path) -> None:
    done = run("--to", "python", "--out", str(tmp_path / "no" / "l.py"))
    assert done.exit_code == 3
    assert "a file that can be written to" in done.stderr
    assert run("--to", "rust").exit_code == 2
    assert run().exit_code == 2


def test_nothing_believed_is_nothing_to_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(home: str | None, branch: str | None, valid_days: int) -> dict[str, Any]:
        raise BeliefError("priors x hold no rule that acts on a score", "one or more")

    monkeypatch.setattr(command, "_data", none)
    done = run("--to", "json", "--out", str(tmp_path / "l.json"))
    assert (done.exit_code, list(tmp_path.iterdir())) == (3, [])
    assert "no rule that acts" in done.stderr


def test_what_own_files_teach_is_exported_without_a_home(tmp_path: Path) -> None:
    lessons_of_last_year(tmp_path / "wanted.json", "json", "BTC")
    events_of_last_year("BTC").to_parquet(tmp_path / "events.parquet")
    words = "--to", "json", "--events", str(tmp_path), "--out", str(tmp_path / "l.json")
    facts = json.loads(run(*words, "--json").stdout)
    assert (tmp_path / "l.json").read_text() == (tmp_path / "wanted.json").read_text()
    assert (facts["rules"], facts["refuses_now"]) == (1, True)
    (tmp_path / "own.yaml").write_text("cost_bps: 1000\n")
    done = run(*words, "--config", str(tmp_path / "own.yaml"))
    assert (done.exit_code, "no lesson has a tilt" in done.stderr) == (3, True)
    assert run("--to", "json", "--config", str(tmp_path / "own.yaml")).exit_code == 2
