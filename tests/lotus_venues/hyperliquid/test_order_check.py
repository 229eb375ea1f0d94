"""Laws of what the signer opens: no numbers, no clock and no form of an order pass its caps or a thrown switch."""

import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples

from lotus.errors import VenueError
from lotus.timebase import DAY_MS
from lotus_venues.hyperliquid.caps import SignerCaps
from lotus_venues.hyperliquid.journal import SignerJournal
from lotus_venues.hyperliquid.signer import FRESH_MS, AgentSigner

KEY = "0x" + "11" * 32
NOW = 1_760_000_000_000
CAPS = SignerCaps(Decimal(1000), Decimal(2500), Decimal(2000), {"BTC": Decimal(10), "ETH": Decimal(10)})
LAST = {"BTC": Decimal(100)}
ODD: list[Any] = ["-1", "0", "-0", "0.0", "nan", "-nan", "sNaN", "inf", "-inf", "1e3", "1E+30", "1e-30", "+1", "1_0"]
ODD += ["1.", ".5", "0x10", "1,5", "-100"]
ODD += ["", " 1", "1 ", "\u0663", "9" * 40, "0." + "0" * 30 + "1", None, True, -1, 5, 2.5, float("nan"), []]
NUMBERS = st.sampled_from(["1", "5", "10", "100", "0.5", "99.99999999", *ODD]) | st.decimals(-50, 2000, places=4).map(
    str
)
TRIGGERS = st.fixed_dictionaries({"isMarket": st.booleans(), "triggerPx": NUMBERS, "tpsl": st.just("sl")})
KINDS = st.just({"limit": {"tif": "Ioc"}}) | TRIGGERS.map(lambda told: {"trigger": told})


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SignerJournal]:
    """An empty journal."""
    made = SignerJournal(tmp_path / "journal")
    yield made
    made.close()


def signer(journal: SignerJournal) -> AgentSigner:
    """Return a signer that has just looked at an empty account."""
    made = AgentSigner(KEY, CAPS, journal, "http://127.0.0.1:1")
    made.coins, made.reference = ["BTC", "ETH", "DOGE"], dict(LAST)
    made.saw_open(Decimal(0), NOW, Decimal(0))
    return made


def wire(size: Any, px: Any = "100", reduce_only: Any = False, kind: Any = None, **more: Any) -> dict[str, Any]:
    """Return an order as the venue's action holds it."""
    kind = kind or {"limit": {"tif": "Ioc"}}
    return {"a": 0, "b": True, "p": px, "s": size, "r": reduce_only, "t": kind, "c": "0x" + "ab" * 16} | more


def placing(*orders: dict[str, Any]) -> dict[str, Any]:
    """Return an action that places orders."""
    return {"type": "order", "orders": list(orders), "grouping": "na"}


def modifying(*orders: dict[str, Any]) -> dict[str, Any]:
    """Return an action that puts orders in the place of others."""
    return {"type": "batchModify", "modifies": [{"oid": 1, "order": order} for order in orders]}


ORDERS = st.builds(
    lambda size, px, reduces, kind, asset: wire(size, px, reduces, kind, a=asset),
    NUMBERS, NUMBERS, st.sampled_from([False, False, True, "false", 0]), KINDS, st.sampled_from([0, 1, 2, -1, True]),
)  # fmt: skip
BATCHES = st.tuples(
    st.sampled_from([placing, modifying]), st.lists(ORDERS, max_size=5), st.booleans(), st.integers(-2, 2)
)


def opening_usd(action: dict[str, Any]) -> Decimal:
    """Return what a signed batch may open at most by its own words (USD), by another way than the signer's."""
    total = Decimal(0)
    for order in action.get("orders") or [row["order"] for row in action.get("modifies", ())]:
        if order["r"] is not True:
            prices = [Decimal(order["p"]), LAST.get(["BTC", "ETH"][order["a"]], Decimal(0))]
            prices += [Decimal(order["t"]["trigger"]["triggerPx"])] if "trigger" in order["t"] else []
            assert min(prices[0], prices[-1], Decimal(order["s"])) > 0 or not prices[1]
            total += abs(Decimal(order["s"])) * max(map(abs, prices))
    return total


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(BATCHES, max_size=8))
def test_no_batch_of_any_numbers_opens_more_than_the_caps(batches: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        journal = SignerJournal(Path(folder))
        made, signed = signer(journal), Decimal(0)
        for make, orders, is_halted, day in batches:
            action, now = make(*orders), NOW + day * DAY_MS
            made.is_halted = lambda halted=is_halted: halted  # type: ignore[misc]
            if not day % 2:  # a taken-over desk may also say that nothing is open
                made.saw_open(Decimal(0), now, made.exposure.signed_usd)
            before = journal.last_nonce
            try:
                made.sign(action, now, now + 2_000)
            except VenueError:
                assert journal.last_nonce == before
                continue
            opened = opening_usd(action)
            is_opening = any(order["r"] is not True for order in orders)
            assert not (is_opening and is_halted)
            assert opened <= CAPS.max_open_usd
            signed += opened
        days = [journal.value_of_day(NOW + day * DAY_MS) for day in range(-2, 3)]
        journal.close()
        assert max(days) <= CAPS.max_day_usd
        assert signed <= 5 * CAPS.max_day_usd  # five days at most were seen


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(ORDERS, max_size=5))
def test_all_that_is_signed_in_a_day_stays_below_the_days_cap(orders: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        journal = SignerJournal(Path(folder))
        made, signed = signer(journal), Decimal(0)
        for _ in range(4):
            made.saw_open(Decimal(0), NOW, made.exposure.signed_usd)
            try:
                made.sign(placing(*orders), NOW, NOW + 2_000)
            except VenueError:
                break
            signed += opening_usd(placing(*orders))
        assert signed == journal.value_of_day(NOW)
        assert signed <= CAPS.max_day_usd
        journal.close()


@pytest.mark.parametrize("number", ODD)
@pytest.mark.parametrize("make", [placing, modifying])
def test_odd_prices_and_sizes_are_not_signed(journal: SignerJournal, make: Any, number: Any) -> None:
    made, trigger = signer(journal), {"trigger": {"isMarket": True, "triggerPx": number, "tpsl": "sl"}}
    for reduces in (False, True):
        for order in (wire(number, "100", reduces), wire("1", number, reduces), wire("1", "100", reduces, trigger)):
            with pytest.raises(VenueError):
                made.sign(make(order), NOW, NOW + 1)
    assert (journal.last_nonce, journal.value_of_day(NOW)) == (0, 0)


def test_orders_that_cancel_out_are_not_signed_over_a_thrown_switch(journal: SignerJournal) -> None:
    made = signer(journal)
    for _ in range(100):
        made.sign(placing(wire("1"), wire("1", reduce_only=True)), NOW, NOW + 1)
        made.saw_open(Decimal(0), NOW, made.exposure.signed_usd)
        with pytest.raises(VenueError):
            made.sign(placing(wire("-1")), NOW, NOW + 1)
        if journal.value_of_day(NOW) == CAPS.max_day_usd:
            break
    with pytest.raises(VenueError, match="today"):
        made.sign(placing(wire("1")), NOW, NOW + 1)
    made.is_halted = lambda: True
    for action in (
        placing(wire("1"), wire("-1")),
        placing(wire("1"), wire("1", reduce_only=True)),
        modifying(wire("1")),
    ):
        with pytest.raises(VenueError, match=r"kill switch|plain digits"):
            made.sign(action, NOW, NOW + 1)


def test_a_trigger_counts_at_the_price_at_which_it_wakes(journal: SignerJournal) -> None:
    trigger = {"trigger": {"isMarket": True, "triggerPx": "1001", "tpsl": "tp"}}
    with pytest.raises(VenueError, match="an order of"):
        signer(journal).sign(placing(wire("1", "1", kind=trigger)), NOW, NOW + 1)


@pytest.mark.parametrize(
    "order",
    [
        wire("1", reduce_only="false"),
        wire("1", reduce_only=1),
        wire("1", a=True),
        wire("1", a="0"),
        wire("1", c=""),
        wire("1", kind={"market": {}}),
        wire("1", kind={"limit": {"tif": "Ioc"}, "trigger": {}}),
        wire("1", kind={"trigger": {"triggerPx": "1"}}),
        wire("1", builder={"b": "0x0", "f": 1}),
        {"a": 0, "s": "1", "p": "1"},
        "an order",
    ],
)
def test_an_order_of_another_form_is_not_signed(journal: SignerJournal, order: Any) -> None:
    made = signer(journal)
    for action in (placing(order), modifying(order), {"type": "order", "orders": order}, {"type": "order"}):
        with pytest.raises(VenueError):
            made.sign(action, NOW, NOW + 1)
    for kind in ("twapOrder", "modify", ["order"], None):
        with pytest.raises(VenueError, match="asked to sign"):
            made.sign({"type": kind}, NOW, NOW + 1)


def test_a_clock_behind_what_was_seen_is_not_fresh(journal: SignerJournal) -> None:
    made = signer(journal)
    for now in (NOW - 1, NOW - 3_600_000, NOW + FRESH_MS + 1):
        with pytest.raises(VenueError, match="what is open"):
            made.sign(placing(wire("1")), now, now + 1)
        made.sign(placing(wire("1", reduce_only=True)), now, now + 1)
    made.sign(placing(wire("1")), NOW, NOW + 1)


def test_a_clock_a_day_back_finds_no_unused_budget(tmp_path: Path) -> None:
    for _ in range(2):
        journal = SignerJournal(tmp_path)
        made = signer(journal)
        for now in (NOW, NOW - DAY_MS, NOW - 2 * DAY_MS):
            for _ in range(5):
                made.saw_open(Decimal(0), now, made.exposure.signed_usd)
                if journal.value_of_day(now) + 500 <= CAPS.max_day_usd:
                    made.sign(placing(wire("5")), now, now + 1)
        with pytest.raises(VenueError, match="today"):
            made.sign(placing(wire("5")), now, now + 1)
        assert sum(journal._value.values()) == CAPS.max_day_usd
        journal.close()


def test_what_is_open_is_told_as_a_number_and_makes_no_room(journal: SignerJournal) -> None:
    made = signer(journal)
    for usd in ("-1", "NaN", "Infinity"):
        with pytest.raises(VenueError, match="open"):
            made.saw_open(Decimal(usd), NOW, Decimal(0))
    made.saw_open(Decimal(0), NOW, Decimal(5_000))
    assert made.exposure.signed_usd == 0
    for usd in ("-1", "NaN", "Infinity"):
        with pytest.raises(VenueError, match="zero or above"):
            journal.sign(NOW, "order", ["a"], Decimal(usd), NOW)


def test_a_journal_with_a_value_below_zero_is_damaged(tmp_path: Path) -> None:
    for value in ("-100", "NaN", "x"):
        (tmp_path / "00020370.jsonl").write_text(f'{{"n":1,"d":20370,"k":"order","c":["a"],"v":"{value}","x":1}}\n')
        with pytest.raises(VenueError, match="damaged"):
            SignerJournal(tmp_path)
