"""A module that is missing is named with the extra that brings it."""

import pytest

from lotus.errors import ConfigError
from lotus_lab.extras import require


def test_what_is_there_is_enough_and_what_is_not_is_named() -> None:
    require("lab", "lab.x", "json", "numpy")
    with pytest.raises(ConfigError, match=r"lab\.x needs no_such_a and no_such_b.*'lotus-quant\[lab\]'"):
        require("lab", "lab.x", "json", "no_such_a", "no_such_b")
