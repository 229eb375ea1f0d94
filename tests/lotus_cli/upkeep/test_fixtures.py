"""`lotus fixtures`: the frozen world is still what was recorded."""

import pytest
from small_home import Cli

pytestmark = pytest.mark.process("in the home that `lotus demo` makes")


def test_the_frozen_world_is_still_what_was_recorded(fresh: Cli) -> None:
    assert fresh.json("fixtures", "check", "--day", "0") == {"sessions_equal": 2}
