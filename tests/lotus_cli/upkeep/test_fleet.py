"""`lotus fleet` where there is no fleet: every command says so, and nothing is begun."""

import pytest
from small_home import Cli


@pytest.mark.parametrize("words", [("up",), ("status",), ("drain",)])
def test_without_slots_there_is_no_fleet(lotus: Cli, words: tuple[str, ...]) -> None:
    assert "[fleet] slots is 0; expected: at least 1 in lotus.toml" in lotus.refused("fleet", *words)


def test_the_doctor_names_what_is_missing(lotus: Cli) -> None:
    checks = lotus.json("fleet", "doctor", code=1)
    assert [name for name, text in checks.items() if text.startswith("WRONG")] == ["slots", "broker"]
