"""The measurement of large files, on small ones: every part runs, and what is measured is the product."""

import json
from pathlib import Path

import pytest

from benchmarks.lessons import own_files


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_files_are_made_and_learned_from(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common = ["--folder", str(tmp_path / "events"), "--kind", kind, "--days", "12", "--detectors", "1"]

    def part(name: str) -> dict[str, object]:
        assert own_files.main([*common, "--features", "5", "--rows", "4800", "--part", name]) == 0
        told: dict[str, object] = json.loads(capsys.readouterr().out)
        return told

    assert part("make")["rows"] == 4800
    learned = part("learn")
    assert learned["trials"]
    assert learned["peak_mb"]
    assert part("pandas")["numbers"] == 11
