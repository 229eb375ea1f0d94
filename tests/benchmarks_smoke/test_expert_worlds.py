"""The command that judges experts on markets with a planted pattern: rows per seed and expert, made once."""

import csv
from pathlib import Path

import pytest

from benchmarks.expert_worlds import HEADER, main
from lotus.experts.fusion import default_experts


def test_rows_are_made_once_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rows.csv"
    arguments = ["--hours", "1", "--csv", str(file)]
    assert main(["--seeds", "7-7", *arguments]) == 0
    first = file.read_text()
    assert main(["--seeds", "7-8", "--expert", "none", *arguments]) == 0
    assert file.read_text().startswith(first)
    with file.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    names = default_experts().names
    assert tuple(rows[0]) == HEADER
    assert [(r["seed"], r["expert"]) for r in rows] == [(seed, n) for seed in ("7", "8") for n in names]
    assert {r["planted"] for r in rows if r["seed"] == "8"} == {""}
    assert all(0 <= float(r["low"]) <= float(r["mean"]) <= float(r["high"]) <= 1 for r in rows)
    assert "all others" in capsys.readouterr().out
