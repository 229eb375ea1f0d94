"""`lotus verify ledger`: the ledger of the demo is what the modules say."""

import pytest
from small_home import Cli

pytestmark = pytest.mark.process("in the home that `lotus demo` makes")


def test_the_ledger_of_the_demo_is_what_the_modules_say(lotus: Cli) -> None:
    found = lotus.json("verify", "ledger")
    assert found["equal"] is True
    assert found["rows"] >= 4
    assert lotus.json("verify", "ledger", "--rebuild") == found
