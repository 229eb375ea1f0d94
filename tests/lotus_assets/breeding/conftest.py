"""The home of tests of candidates' days to come."""

from collections.abc import Iterator
from typing import Any

import pytest

from lotus_assets.breeding import forward, settle
from lotus_store.databases import Databases
from tests.lotus_assets.breeding.forward_home import home_of, matured, panels


@pytest.fixture
def ctx(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """What stages know of a home whose days are those of a world with one planted pattern, up to `last`."""
    for module in (forward, settle):
        monkeypatch.setattr(module, "matured_days", matured)
    monkeypatch.setattr(forward, "home_panels", panels)
    with databases.connect("sig", autocommit=True) as sig:
        yield home_of(sig)
