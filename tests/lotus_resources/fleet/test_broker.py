"""A run keeps the settings that asked for it, and a machine whose settings come to another version refuses it."""

from dataclasses import replace

import pytest

from lotus.manifest import Asset, Manifest
from lotus_resources.fleet.broker import BRANCH_TAG, MANIFEST_TAG, asked_by, take_over
from lotus_store.branch_settings import read_branch_settings, write_branch_settings
from lotus_store.config import Settings, load_settings

SECTIONS = {"universe": {"assets": [{"name": "SOL", "sz_decimals": 2}]}}


def test_a_worker_takes_over_tape_and_branch_and_refuses_other_settings(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOTUS_TAPE", "LOTUS_BRANCH", "LOTUS_CONFIG"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    write_branch_settings(settings.home, "solo", SECTIONS)
    asking = load_settings(home=settings.home, tape="t", branch="solo")
    assert asking.manifest.version == replace(Manifest(), universe=(Asset("SOL", 2),)).version
    tags = asked_by(asking)
    worker = settings.home.with_name("worker")
    monkeypatch.setenv("LOTUS_HOME", str(worker))
    monkeypatch.setenv("LOTUS_TAPE", "")
    monkeypatch.setenv("LOTUS_BRANCH", "")
    assert take_over(tags) == ""
    here = load_settings()
    assert (here.home, here.tape, here.branch, here.manifest.version) == (worker, "t", "solo", asking.manifest.version)
    assert read_branch_settings(worker, "solo") == SECTIONS
    why = take_over({**tags, MANIFEST_TAG: "other"})
    assert why.startswith("asked with settings of version other; those of this machine are ")
    assert "branches/solo.json of its home, differs" in why
    assert take_over({BRANCH_TAG: "main"}) == ""
