"""Names of others as steps of a path: one form each, and none that leads out of its folder."""

import sys
from pathlib import Path

import pytest

from lotus.errors import ConfigError
from lotus.names import MAX_STEP_BYTES, is_name, name_of_step, parse_name, path_step

sys.path.insert(0, str(Path(__file__).parent))


ORDINARY = (
    "BTC",
    "kPEPE",
    "xyz:XYZ100",
    "@107",
    "tape.live",
    "demo-7",
    "main.live",
    "replay-0a1b",
    "2026-01-01",
    "U_2",
)


@pytest.mark.parametrize("name", ORDINARY)
def test_an_ordinary_name_is_its_own_step(name: str) -> None:
    assert path_step(name) == name == name_of_step(name) == parse_name("coin", name)


def test_odd_names_have_one_form() -> None:
    forms = {"..": "%2E.", ".": "%2E", "a b": "a b", " a ": "%20a%20", "%2F": "%252F", "é": "%C3%A9", "a=b": "a%3Db"}
    assert {name: path_step(name) for name in forms} == forms
    assert {name_of_step(step): step for step in forms.values()} == forms


@pytest.mark.parametrize("name", ["", "a" * (MAX_STEP_BYTES + 1), "é" * 34, "\ud800", "/" * 67])
def test_what_has_no_step_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="expected: 1 to 200 bytes"):
        path_step(name)


@pytest.mark.parametrize("name", ["", " a", "a\n", "\0", "\u202eBTC", "A" * 300, "\ud800", "a\u200bb"])
def test_what_is_no_name_is_refused_with_what_it_names(name: str) -> None:
    assert not is_name(name)
    with pytest.raises(ConfigError, match="the name of a coin"):
        parse_name("coin", name)
