"""A few seconds of floods in every run of the tests; `poison.py` takes any number."""

import sys
from pathlib import Path

import pytest

from lotus_store.databases import Databases

sys.path.insert(0, str(Path(__file__).parent))

from poison import Flood


def test_a_flood_harms_nobody_but_its_sender(
    databases: Databases, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    flood = Flood(databases, tmp_path, 3)
    assert flood.run(3), flood.faults
    assert flood.figures["urgent applied"] > 20
    assert flood.figures["dead in dm, handler_fault"] > 3
    assert "a handler of dm broke: ZeroDivisionError: poison" in caplog.text
