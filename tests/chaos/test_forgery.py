"""A few thousand attacks of `forgery.py` in every run of the tests; the script takes any number."""

import sys
from pathlib import Path

from lotus_store.databases import Databases

sys.path.insert(0, str(Path(__file__).parent))

from forgery import run


def test_nothing_forged_is_accepted_and_nothing_valid_harmed(databases: Databases, tmp_path: Path) -> None:
    found = run(databases, tmp_path, 1_500, 3)
    assert found["held"], found
    assert found["forgery"]["tried"] > 3_000
    assert set(found["forgery"]["by_kind"]) >= {"bit flip", "field swap", "re-serialised", "other key", "wrong release"}
