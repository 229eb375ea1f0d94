"""`lotus fleet` where there is no fleet: every command says so, and nothing is begun."""

import pytest
from small_home import Cli


@pytest.mark.parametrize("words", [("up",), ("status",), ("drain",)])
def test_without_slots_there_is_no_fleet(lotus: Cli, words: tuple[str, ...]) -> None:
    assert "[fleet] slots is 0; expected: at least 1 in lotus.toml" in lotus.refused("fleet", *words)


def test_the_doctor_names_what_is_missing(lotus: Cli) -> None:
    checks = lotus.json("fleet", "doctor", code=1)
    assert [name for name, text in checks.items() if text.startswith("WRONG")] == ["slots", "broker"]


def test_the_plan_is_made_of_what_the_days_of_the_home_took(lotus: Cli, fresh: Cli) -> None:
    plan = lotus.json("fleet", "plan", "--symbols", "500", "--years", "5", "--branch", "demo-11", LOTUS_TAPE="demo-11")
    assert plan["measured"]["days"] > 0 < plan["measured"]["coin_hours"]
    assert all(row["a_day"] > 0.0 < row["in_all"] for row in plan["rows"])
    assert "no day with its costs is known" in fresh.refused("fleet", "plan", "--symbols", "5", "--years", "1")
