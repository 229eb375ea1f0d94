"""A unit is done on the tape and branch that it names, and by no machine whose settings are others."""

from dataclasses import replace

import pytest

from lotus.errors import ConfigError
from lotus.manifest import Asset, Manifest
from lotus_assets.fleet.tape_units import TapeUnit, as_asked
from lotus_resources.lotus_resource import Lotus
from lotus_store.branch_settings import read_branch_settings
from lotus_store.config import Settings

SECTIONS = '{"universe": {"assets": [{"name": "SOL", "sz_decimals": 2}]}}'


def test_settings_of_another_machine_are_refused_and_a_branch_s_own_come_with_the_unit(settings: Settings) -> None:
    lotus = Lotus.open(settings)
    try:
        unit = TapeUnit(tape="other", branch="b", manifest=settings.manifest.version, days=["2026-01-05"])
        other = as_asked(lotus, unit)
        assert (other.settings.tape, other.settings.branch, other.tape.tape) == ("other", "b", "other")
        with pytest.raises(ConfigError, match=r"settings of version .*; expected: f, as asked; likely cause"):
            as_asked(lotus, unit.model_copy(update={"manifest": "f"}))
        version = replace(Manifest(), universe=(Asset("SOL", 2),)).version
        asked = unit.model_copy(update={"branch": "c", "sections": SECTIONS, "manifest": version})
        assert [asset.name for asset in as_asked(lotus, asked).settings.manifest.universe] == ["SOL"]
        assert read_branch_settings(settings.home, "c") != {}
    finally:
        lotus.close()
