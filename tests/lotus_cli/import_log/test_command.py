"""`lotus import-log`: events on disk, and plainly said what they cannot teach."""

import json
from pathlib import Path

import pyarrow.parquet as pq
from click.testing import CliRunner

from lotus_cli.main import main

CSV = "opened,closed,asset,strategy,side,entry,exit\n2025-01-06T09:30:00Z,2025-01-06T19:40:00Z,BTC,s,long,100,101\n"


def test_events_are_written_and_their_grade_is_said(tmp_path: Path) -> None:
    log, out = tmp_path / "t.csv", tmp_path / "e.parquet"
    log.write_text(CSV)
    done = CliRunner().invoke(main, ["import-log", "csv", str(log), "--out", str(out)], catch_exceptions=False)
    assert done.exit_code == 0
    assert "grade D" in done.stdout
    assert "held a trade for 10.2 hours" in done.stdout
    assert pq.read_table(out).num_rows == 1
    words = ["import-log", "csv", str(log), "--out", str(tmp_path / "no" / "e.parquet"), "--json"]
    done = CliRunner().invoke(main, words, catch_exceptions=False)
    assert (done.exit_code, "can be written to" in done.stderr) == (3, True)
    done = CliRunner().invoke(main, [*words[:-2], str(out), "--json"], catch_exceptions=False)
    assert json.loads(done.stdout)["rows"] == 1


def test_what_is_no_log_is_explained(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x\n1\n")
    reasons = {"csv": "has no column opened", "freqtrade": "cannot be read", "nautilus": "has no avg_px"}
    for kind, words in reasons.items():
        done = CliRunner().invoke(main, ["import-log", kind, str(tmp_path / "t.csv")], catch_exceptions=False)
        assert (done.exit_code, words in done.stderr) == (3, True), done.stderr
    assert CliRunner().invoke(main, ["import-log", "csv", str(tmp_path / "none")]).exit_code == 2
    assert CliRunner().invoke(main, ["import-log", "ftx", str(tmp_path / "t.csv")]).exit_code == 2
