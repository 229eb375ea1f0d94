"""A tape in a temporary home, and the recordings beside the checkout."""

from pathlib import Path

import pytest
from object_store import s3, s3_port  # noqa: F401 -- fixtures

from lotus_store.tape.header import HeaderAsset, TapeHeader
from lotus_store.tape.store import TapeStore

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture
def store(tmp_path: Path) -> TapeStore:
    """A tape with a header and no lines."""
    tape = TapeStore(tmp_path, "test")
    tape.write_header(TapeHeader("test", "tests", (HeaderAsset("BTC", 5), HeaderAsset("ETH", 4))))
    return tape


@pytest.fixture
def data() -> Path:
    """Folder of the recordings; skips when they are absent."""
    if not DATA.exists():
        pytest.skip(f"real recordings {DATA} are not beside the checkout")
    return DATA
