"""The signer's own caps: value of an order, of a day and of what is open, and who may read the files."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lotus.errors import ConfigError, VenueError
from lotus_venues.hyperliquid.caps import read_caps
from lotus_venues.hyperliquid.journal import SignerJournal
from lotus_venues.hyperliquid.signer import AgentSigner, read_key

from .signing import CAPS, KEY, NOW, signer

NAME = "0x" + "ab" * 16


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SignerJournal]:
    """An empty journal."""
    made = SignerJournal(tmp_path / "journal")
    yield made
    made.close()


def order(size: str, px: str, asset: int = 0, reduce_only: bool = False, name: str = NAME) -> dict[str, Any]:
    """Return an action of one order."""
    wire = {"a": asset, "b": True, "p": px, "s": size, "r": reduce_only, "t": {"limit": {"tif": "Gtc"}}, "c": name}
    return {"type": "order", "orders": [wire], "grouping": "na"}


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (order("0.011", "50000"), "one order"),
        (order("0.0101", "1"), "one order"),
        (order("0.01", "100001"), "an order of"),
        (order("1", "1", asset=2), "does not sign for DOGE"),
        (order("1", "1", asset=2, reduce_only=True), "does not sign for DOGE"),
        (order("1", "1", asset=3), "not known"),
        (order("1", "1", asset=-1), "not known"),
        ({"type": "batchModify", "modifies": [{"oid": 1, "order": order("1", "1")["orders"][0]}]}, "one order"),
    ],
)
def test_one_order_stays_within_its_caps(journal: SignerJournal, action: dict[str, Any], words: str) -> None:
    with pytest.raises(VenueError, match=words):
        signer(journal).sign(action, NOW, NOW + 1)
    assert journal.last_nonce == 0


def test_a_low_limit_does_not_hide_the_value_of_a_sale(journal: SignerJournal) -> None:
    made = signer(journal)
    made.reference["BTC"] = Decimal(150_000)
    with pytest.raises(VenueError, match="an order of"):
        made.sign(order("0.01", "1"), NOW, NOW + 1)


def test_open_and_daily_value_are_capped_through_restarts(tmp_path: Path) -> None:
    first = SignerJournal(tmp_path)
    made = signer(first)
    made.sign(order("0.01", "100000", name="0x1"), NOW, NOW)
    made.sign(order("0.01", "100000", name="0x2"), NOW, NOW)
    with pytest.raises(VenueError, match="open"):
        made.sign(order("0.001", "100000", name="0x3"), NOW, NOW)
    made.sign(order("0.01", "100000", name="0x4", reduce_only=True), NOW, NOW)
    made.sign({"type": "cancelByCloid", "cancels": []}, NOW, NOW)
    first.close()
    second = SignerJournal(tmp_path)
    again = signer(second)
    with pytest.raises(VenueError, match="today"):
        again.sign(order("0.01", "100000", name="0x5"), NOW, NOW)
    again.sign(order("0.005", "100000", name="0x6"), NOW, NOW)
    second.close()


def test_caps_and_key_files(tmp_path: Path) -> None:
    path = tmp_path / "caps.toml"
    good = 'max_order_usd = "1000"\nmax_day_usd = 2500\nmax_open_usd = "2000"\n[coins]\nBTC = "0.01"\nETH = 1\n'
    path.write_text(good)
    assert read_caps(path) == CAPS
    for bad in (good.replace("2500", "-1"), good.replace("2500", "2.5"), "x = 1\n" + good, good.split("[")[0], "]"):
        path.write_text(bad)
        with pytest.raises(ConfigError):
            read_caps(path)
    key = tmp_path / "key"
    key.write_text(KEY + "\n")
    key.chmod(0o644)
    with pytest.raises(ConfigError, match="others"):
        read_key(key)
    key.chmod(0o600)
    assert read_key(key) == KEY
    with pytest.raises(ConfigError, match="no private key") as told:
        AgentSigner("0x1234", CAPS, SignerJournal(tmp_path / "j"), "http://127.0.0.1:1")
    assert "1234" not in str(told.value)
