"""A hundred slow and malformed clients at each server in every run of the tests; the script takes any number."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from servers import ATTACKS, KINDS, campaigns


@pytest.mark.process("a server as a process by subprocess, while clients hold it")
@pytest.mark.parametrize("kind", KINDS)
def test_no_client_keeps_an_honest_one_out(tmp_path: Path, kind: str) -> None:
    done = campaigns(tmp_path, 400, 3, 1.0, (kind,))[kind]
    assert not done.faults, done.faults
    assert done.figures["honest answered"]  # one at least was asked beside the attack; an unanswered one is a fault
    assert all(done.figures[attack] > 10 for attack in ATTACKS)
