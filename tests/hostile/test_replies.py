"""A short form of the campaign over replies, and injections through everything that an outsider names."""

import dataclasses
import sys
import typing
from enum import StrEnum
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import replies

from lotus.coprocessor.model.port import Prompt
from lotus.coprocessor.model.prompt_text import messages_of
from lotus.coprocessor.model.window_facts import SLOTS, WINDOW_FACTS
from lotus.manifest import Asset, Manifest
from lotus_assets.coprocessor.asking import prompt_of
from lotus_store.config import Settings
from lotus_store.lake import Lake


def test_replies_crash_nothing_and_leave_nothing_outside_the_language() -> None:
    taken, refused, slowest_s = replies.throw(200, 3)
    assert taken.total() > 10
    assert refused.total() > 100
    assert slowest_s < replies.MAX_CPU_S


def test_escapes_leave_no_trace() -> None:
    assert replies.escapes(60, 3) == 0


def test_names_and_words_of_others_do_not_reach_a_prompt() -> None:
    assert replies.injections(20, 3) == (0, 0)


def prompt_of_coins(home: Path, names: list[str]) -> bytes:
    """Return the prompt of a lake whose facts are of coins with these names."""
    settings = Settings(home, Manifest(universe=tuple(Asset(name, 2) for name in names)))
    write_facts(settings, names)
    return b"".join(m.text.encode() for m in messages_of(prompt_of(settings, 4)))


def write_facts(settings: Settings, names: list[str]) -> None:
    """Write facts of an hour of each coin, the same whatever its name is."""
    rng = np.random.default_rng(0)
    table: dict[str, typing.Any] = {slot.name: rng.normal(size=len(names)) for slot in SLOTS}
    table |= {"asset": np.array(names, object), "hour": np.zeros(len(names), np.int64)}
    table["frames"] = np.full(len(names), 50)
    order = np.argsort(np.array(names, object))
    Lake(settings.lake_root).write(
        WINDOW_FACTS, settings.branch, "2026-01-05", {name: values[order] for name, values in table.items()}
    )


def test_names_of_coins_do_not_reach_a_prompt(tmp_path: Path) -> None:
    plain = prompt_of_coins(tmp_path / "plain", ["BTC", "ETH"])
    assert b"A1,1,0,50," in plain
    assert b"BTC" not in plain
    for k, text in enumerate(replies.injected_texts(3, 5)):
        assert prompt_of_coins(tmp_path / str(k), [text[:60], f"{k}{text[:50]}"]) == plain


def texts_in(kind: type, path: str = "") -> list[str]:
    """Return the places of free text below a dataclass, by its annotations."""
    found = []
    for name, hint in typing.get_type_hints(kind).items():
        for inner in (hint, *typing.get_args(hint)):
            if inner is str:
                found.append(f"{path}{name}")
            elif dataclasses.is_dataclass(inner) and isinstance(inner, type):
                found += texts_in(inner, f"{path}{name}.")
            else:
                assert inner in (int, float, Ellipsis) or typing.get_args(inner) or issubclass(inner, StrEnum), inner
    return found


def test_a_prompt_has_no_place_for_a_text_but_the_idea_and_a_closed_column() -> None:
    assert texts_in(Prompt) == ["gaps.column", "idea"]


@pytest.mark.parametrize(
    "wrong", [{"facts": ("x",)}, {"facts": ["x"]}, {"refusals": ("json",)}, {"idea": "a\nb"}, {"wanted": 9}]
)
def test_a_prompt_takes_no_other_values(wrong: dict[str, typing.Any]) -> None:
    from lotus.errors import ConfigError

    with pytest.raises(ConfigError):
        Prompt(**wrong)
