"""Ten rounds of `shard_owners.py` in every run of the tests; the script takes any number."""

from pathlib import Path

import pytest
from shard_owners import run

from lotus_store.databases import Databases


@pytest.mark.process("leases have to run out")
def test_a_former_owner_of_a_shard_writes_no_row(databases: Databases, tmp_path: Path) -> None:
    found = run(databases, tmp_path, 10, 3)
    assert found["stale"] == 0
    assert found["refused"] == 10
    assert found["rows"] >= 11
    assert found["careless_noted"] == 1
