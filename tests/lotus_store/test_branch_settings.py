"""A branch keeps the settings it was begun with, wherever it is opened."""

from pathlib import Path

import pytest

from lotus.errors import ConfigError
from lotus_store.branch_settings import write_branch_settings
from lotus_store.config import load_settings

SECTIONS = {"outcomes": {"horizons_s": [30, 300, 900]}, "learning": {"looks": "final", "look_day": "2026-01-17"}}


def test_a_branch_carries_its_own_sections(tmp_path: Path) -> None:
    write_branch_settings(tmp_path, "b", SECTIONS)
    manifest = load_settings(home=tmp_path, branch="b").manifest
    assert manifest.outcomes.horizons_s == (30, 300, 900)
    assert (manifest.learning.looks, manifest.learning.look_day) == ("final", "2026-01-17")
    assert load_settings(home=tmp_path, branch="main").manifest.learning.looks == "nightly"


def test_the_same_settings_again_are_fine_and_others_are_refused(tmp_path: Path) -> None:
    write_branch_settings(tmp_path, "b", SECTIONS)
    write_branch_settings(tmp_path, "b", SECTIONS)
    with pytest.raises(ConfigError, match="was begun with"):
        write_branch_settings(tmp_path, "b", {"learning": {"looks": "nightly"}})
    assert load_settings(home=tmp_path, branch="b").manifest.learning.looks == "final"


@pytest.mark.parametrize("text", ["[1]", "{", '{"learning": 3}'])
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "branches").mkdir()
    (tmp_path / "branches" / "b.json").write_text(text)
    with pytest.raises(ConfigError, match=r"b\.json"):
        load_settings(home=tmp_path, branch="b")


def test_unknown_keys_of_a_branch_are_named(tmp_path: Path) -> None:
    write_branch_settings(tmp_path, "b", {"learning": {"no_such": 1}})
    with pytest.raises(ConfigError, match="no_such"):
        load_settings(home=tmp_path, branch="b")
