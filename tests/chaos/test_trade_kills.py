"""A few kills of `trade_kills.py` in every run of the tests; the script takes any number."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.kill("the desk dies three times over open orders")
@pytest.mark.timeout(400)
@pytest.mark.parametrize("style", ["cross", "join"])
def test_a_killed_desk_loses_doubles_and_forgets_nothing(style: str) -> None:
    script = Path(__file__).parent / "trade_kills.py"
    command = [sys.executable, str(script), "--kills", "3", "--minutes", "2", "--seed", "5", "--json", "--style", style]
    done = subprocess.run(command, capture_output=True, text=True, timeout=380)
    assert done.stdout, done.stderr[-3000:]
    told = json.loads(done.stdout)
    assert told["whole"], told
    assert told["kills"] == 3 or (style != "cross" and told["kills"] > 3)
    assert told["fills"] > 0
    assert style == "cross" or told["kills_with_orders_at_rest"] > 0
