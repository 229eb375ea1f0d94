"""What is rounded here is valid at the venue, by a rule written from its documentation on the text of the number."""

import json
import random
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from lotus.manifest import Asset
from lotus.trading.execution.orders import Side
from lotus.trading.execution.rounding import is_valid_px, is_valid_size, round_px, round_px_for, round_size

RECORDED = Path(__file__).resolve().parents[4] / "shared/data/hyperliquid-rest-cassettes/test_get_info.yaml"
SHORT = [("BTC", 5), ("ETH", 4), ("SOL", 2), ("XRP", 0), ("INJ", 1), ("BNB", 3)]


def recorded_universe() -> list[Asset]:
    """Return every coin of the recorded `meta` answer."""
    if not RECORDED.exists():
        pytest.skip(f"no recorded meta answer beside the checkout ({RECORDED.name})")
    answer = yaml.safe_load(RECORDED.read_text())["interactions"][0]["response"]["body"]["string"]
    return [Asset(row["name"], row["szDecimals"]) for row in json.loads(answer)["universe"]]


def venue_takes_px(px: Decimal, sz_decimals: int) -> bool:
    """Tell whether a price is legal: an integer, or at most 5 significant figures and 6 - szDecimals decimals."""
    text = format(px.normalize(), "f")
    whole, _, decimals = text.partition(".")
    figures = (whole + decimals).lstrip("0")
    return px > 0 and (not decimals or (len(figures) <= 5 and len(decimals) <= 6 - sz_decimals))


def venue_takes_size(size: Decimal, sz_decimals: int) -> bool:
    """Tell whether a size is legal: positive, with at most szDecimals decimals."""
    return size > 0 and len(format(size.normalize(), "f").partition(".")[2]) <= sz_decimals


def check(universe: list[Asset], draws: int, seed: int) -> int:
    """Round `draws` random prices and sizes of every coin; return how many were checked."""
    rng = random.Random(seed)
    for asset in universe:
        for _ in range(draws):
            px = Decimal(repr(10 ** rng.uniform(-7, 7)))
            near, down, up = round_px(asset, px), round_px_for(asset, px, Side.BUY), round_px_for(asset, px, Side.SELL)
            for made in (near, down, up):
                assert venue_takes_px(made, asset.sz_decimals), (asset, px, made)
                assert is_valid_px(asset, made)
            least = Decimal(1).scaleb(-asset.px_decimals)
            assert down <= max(px, least)
            assert px <= up
            assert near in (down, up)
            assert abs(near - px) <= max((up - down) / 2, least)
            size = Decimal(repr(10 ** rng.uniform(-6, 5)))
            lots = round_size(asset, size)
            assert 0 <= size - lots < Decimal(1).scaleb(-asset.sz_decimals)
            assert lots == 0 or (venue_takes_size(lots, asset.sz_decimals) and is_valid_size(asset, lots))
            assert is_valid_px(asset, px) == venue_takes_px(px, asset.sz_decimals)
            assert is_valid_size(asset, size) == venue_takes_size(size, asset.sz_decimals)
    return len(universe) * draws


@pytest.mark.recordings
def test_rounding_is_valid_for_every_coin_of_the_recorded_universe() -> None:
    universe = recorded_universe()
    assert len(universe) == len({asset.name for asset in universe}) == 28
    assert check(universe, 100, 7) == 2_800


def test_rounding_is_valid_for_every_number_of_size_decimals() -> None:
    assert check([Asset(*pair) for pair in SHORT], 300, 8) == 1_800


@pytest.mark.parametrize(
    ("px", "sz_decimals", "legal"),
    [
        ("1234.5", 1, True),
        ("1234.56", 1, False),
        ("0.001234", 0, True),
        ("0.0012345", 0, False),
        ("0.01234", 1, True),
        ("0.012345", 1, False),
        ("0.012345", 0, True),
        ("123456", 5, True),
        ("12345.6", 0, False),
    ],
)
def test_examples_of_the_venue(px: str, sz_decimals: int, legal: bool) -> None:
    """Both sides of each border of the venue's page on ticks and lots."""
    assert venue_takes_px(Decimal(px), sz_decimals) is legal
    assert is_valid_px(Asset("X", sz_decimals), Decimal(px)) is legal
