"""Laws of the signer: nonces never repeat, names and values survive kill -9, only trading within caps is signed."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account as EthAccount
from eth_keys import KeyAPI
from eth_keys.backends import CoinCurveECCBackend, NativeECCBackend, get_backend
from hyperliquid.utils.signing import recover_agent_or_user_from_l1_action
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples

from lotus.errors import VenueError
from lotus.timebase import DAY_MS
from lotus_venues.hyperliquid.journal import SignerJournal
from lotus_venues.hyperliquid.signer import MAINNET_URL

from .signing import KEY, NOW, signer

NAME = "0x" + "ab" * 16


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SignerJournal]:
    """An empty journal."""
    made = SignerJournal(tmp_path / "journal")
    yield made
    made.close()


@settings(max_examples=examples(50), deadline=None)
@given(st.binary(min_size=32, max_size=32), st.integers(1, 2**250))
def test_the_curve_in_c_signs_and_recovers_as_the_one_in_python(message: bytes, secret: int) -> None:
    key = secret.to_bytes(32, "big")
    fast, slow = KeyAPI(get_backend()), KeyAPI(NativeECCBackend())
    assert isinstance(fast.backend, CoinCurveECCBackend), "a signature in Python holds the desk up for milliseconds"
    one, other = (api.ecdsa_sign(message, api.PrivateKey(key)).to_bytes() for api in (fast, slow))
    assert one == other
    assert {api.ecdsa_recover(message, api.Signature(one)).to_bytes() for api in (fast, slow)} == {
        slow.PrivateKey(key).public_key.to_bytes()
    }


def order(size: str, px: str, asset: int = 0, reduce_only: bool = False, name: str = NAME) -> dict[str, Any]:
    """Return an action of one order."""
    wire = {"a": asset, "b": True, "p": px, "s": size, "r": reduce_only, "t": {"limit": {"tif": "Gtc"}}, "c": name}
    return {"type": "order", "orders": [wire], "grouping": "na"}


@settings(max_examples=examples(25), deadline=None)
@given(st.lists(st.integers(-5_000, 5_000), min_size=1, max_size=12), st.sets(st.integers(0, 11)))
def test_nonces_rise_through_reopening_and_clocks_set_back(steps: list[int], reopened: set[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made, now, nonces = SignerJournal(Path(folder)), NOW, []
        for index, step in enumerate(steps):
            now += step
            if index in reopened:
                made.close()
                made = SignerJournal(Path(folder))
            nonces.append(made.sign(now, "order", [f"n{index}"], Decimal(1), now + 5000))
            assert nonces[-1] >= now
        made.close()
        assert nonces == sorted(set(nonces))


def test_what_was_signed_is_known_after_reopening(tmp_path: Path) -> None:
    made = SignerJournal(tmp_path)
    first = made.sign(NOW, "order", ["a", "b"], Decimal("10.5"), NOW + 5)
    second = made.sign(NOW, "order", ["c"], Decimal(1), NOW + 5)
    made.void(NOW, second)
    tomorrow = made.sign(NOW + DAY_MS, "order", ["d"], Decimal(3), 9)
    assert made.value_of_day(NOW) == Decimal("3")
    made.close()
    again = SignerJournal(tmp_path)
    assert (again.names.recent["a"].nonce, again.names.recent["b"].expires_ms) == (first, NOW + 5)
    assert set(again.names.recent) == {"a", "b", "d"}
    assert (again.last_nonce, again.value_of_day(NOW + DAY_MS)) == (tomorrow, 3)
    assert again.value_of_day(NOW + 2 * DAY_MS) == 0
    again.close()


def test_voiding_a_modify_keeps_the_name_of_its_order(tmp_path: Path) -> None:
    made = SignerJournal(tmp_path)
    placed = made.sign(NOW, "order", ["a"], Decimal(1), NOW + 5)
    modified = made.sign(NOW, "batchModify", ["a"], Decimal(1), NOW + 9)
    assert (made.names.recent["a"].nonce, made.modified["a"].expires_ms) == (placed, NOW + 9)
    made.void(NOW, modified)
    made.close()
    again = SignerJournal(tmp_path)
    assert ("a" in again.names, "a" in again.modified) == (True, False)
    again.close()


def test_a_torn_line_was_never_signed_and_a_damaged_one_is_told(tmp_path: Path) -> None:
    made = SignerJournal(tmp_path)
    kept = made.sign(NOW, "order", ["a"], Decimal(1), 0)
    made.close()
    (path,) = tmp_path.glob("*.jsonl")
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) // 2])
    torn = SignerJournal(tmp_path)
    assert torn.last_nonce == kept
    assert torn.sign(NOW, "order", ["b"], Decimal(1), 0) == kept + 1
    torn.close()
    path.write_bytes(b"{not json\n" + path.read_bytes())
    with pytest.raises(VenueError, match="damaged"):
        SignerJournal(tmp_path)


def test_a_second_signer_is_refused(tmp_path: Path) -> None:
    held = SignerJournal(tmp_path)
    with pytest.raises(VenueError, match="in use"):
        SignerJournal(tmp_path)
    held.close()
    SignerJournal(tmp_path).close()


def test_kill_9_never_gives_a_nonce_twice(tmp_path: Path) -> None:
    """A child prints each nonce after `sign` returned and is killed; nobody signs one of them again."""
    child = (
        "import sys,pathlib,decimal\nfrom lotus_venues.hyperliquid.journal import SignerJournal\n"
        "j=SignerJournal(pathlib.Path(sys.argv[1]))\n"
        "i=0\nwhile True:\n"
        "    i+=1\n    print(j.sign(1760000000000-i,'order',[str(j.last_nonce)],decimal.Decimal(1),0),flush=True)\n"
    )
    told: list[int] = []
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", child, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        told += [int(process.stdout.readline()) for _ in range(20)]
        os.kill(process.pid, signal.SIGKILL)
        told += [int(line) for line in process.stdout if line.endswith("\n")]
        process.wait()
    assert told == sorted(set(told))
    again = SignerJournal(tmp_path)
    assert again.last_nonce >= told[-1]
    assert len(again.names) >= len(told)
    again.close()


def test_signatures_recover_the_agent_and_never_mainnet_elsewhere(journal: SignerJournal) -> None:
    for url, is_mainnet in (("http://127.0.0.1:1", False), (MAINNET_URL + ".example", False), (MAINNET_URL, True)):
        made = signer(journal, url)
        body = made.sign(order("0.001", "100000"), NOW, NOW + 5000)
        who = recover_agent_or_user_from_l1_action(
            body["action"], body["signature"], None, body["nonce"], body["expiresAfter"], is_mainnet
        )
        assert who.lower() == made.address == EthAccount.from_key(KEY).address.lower()


@pytest.mark.parametrize(
    "action",
    [
        {"type": "usdSend", "destination": "0x0", "amount": "1", "time": 1},
        {"type": "withdraw3", "destination": "0x0", "amount": "1", "time": 1},
        {"type": "approveAgent", "agentAddress": "0x0"},
        {"type": "vaultTransfer", "vaultAddress": "0x0", "isDeposit": True, "usd": 1},
        {"type": "updateIsolatedMargin", "asset": 0, "isBuy": True, "ntli": 1},
        {"type": "order", "orders": [], "grouping": "na", "builder": {"b": "0x0", "f": 100}},
        {"type": "noop", "to": "0x0"},
        {},
    ],
)
def test_nothing_but_trading_is_signed(journal: SignerJournal, action: dict[str, Any]) -> None:
    with pytest.raises(VenueError, match="asked to sign"):
        signer(journal).sign(action, NOW, NOW + 1)
    assert journal.last_nonce == 0


def test_without_a_fresh_look_at_the_account_nothing_is_opened(journal: SignerJournal) -> None:
    made = signer(journal)
    with pytest.raises(VenueError, match="what is open"):
        made.sign(order("0.001", "100000"), NOW + 61_000, NOW)
    made.sign(order("0.001", "100000", reduce_only=True), NOW + 61_000, NOW)


def test_over_a_thrown_switch_nothing_that_opens_is_signed(journal: SignerJournal) -> None:
    made = signer(journal)
    made.is_halted = lambda: True
    with pytest.raises(VenueError, match="kill switch"):
        made.sign(order("0.001", "100000"), NOW, NOW + 5_000)
    assert made.sign(order("0.001", "100000", reduce_only=True), NOW, NOW + 5_000)
    assert made.sign({"type": "noop"}, NOW, NOW + 5_000)
