"""A bounded number of faults against the real desk in every run of the tests; the script takes any number."""

import asyncio
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lotus_venues")]

from desk_faults import drill  # noqa: E402


@pytest.mark.process("a desk trades over wall time while its venue fails")
@pytest.mark.parametrize("at_rest", [False, True])
def test_faults_leave_the_desk_with_nothing_double_unknown_or_bare(tmp_path: Path, at_rest: bool) -> None:
    tmp_path.chmod(0o755)
    told = asyncio.run(drill(60, 11, 1.5, tmp_path, per_s=8.0, timeout_s=0.5, expires_ms=1_000, at_rest=at_rest))
    assert told["is_clean"], told
    assert told["ambiguities"] >= 30, told
    assert told["orders"] > 0, told
