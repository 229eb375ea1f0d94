"""One object store for all tests of this folder."""

from collections.abc import Iterator

import pytest
from object_store import environment, object_store


@pytest.fixture(scope="session")
def store_port() -> Iterator[int]:
    with object_store() as port:
        yield port


@pytest.fixture
def store(store_port: int, monkeypatch: pytest.MonkeyPatch) -> int:
    for name, value in environment(store_port).items():
        monkeypatch.setenv(name, value)
    return store_port
