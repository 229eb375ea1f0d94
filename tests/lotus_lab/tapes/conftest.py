"""A tape of ten minutes of a simulated market on each of two days, without a lake."""

import pytest

import lotus_lab as lab


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> lab.RecordedTape:
    """Return it; its home has a space in its name."""
    return lab.example_tape(tmp_path_factory.mktemp("a home"), minutes=10, days=2)
