"""Units of coins come from the table, or are inferred and flagged."""

import pytest

from lotus.errors import TapeError
from lotus.manifest import Asset
from lotus_store.tape.coin_units import survey


def test_units_come_from_the_table_or_are_inferred_and_flagged() -> None:
    frames = [
        b'{"channel":"bbo","data":{"coin":"WLFI","bbo":[{"px":"0.22851","sz":"29240.0","n":1},null]}}',
        b'{"channel": "trades", "data": [{"coin": "NEW", "px": "10.5", "sz": "1.250"}]}',
        b'{"channel":"bbo","data":{"coin":"SOL","bbo":[{"px":"1","sz":"0.00001","n":1},null]}}',
        b'{"channel":"candle","data":{"coin":"XRP"}}',
    ]
    universe = survey(frames).universe(first=(Asset("NEW", 3), Asset("BTC", 5)))
    assert [(asset.name, asset.sz_decimals, asset.inferred) for asset in universe] == [
        ("NEW", 3, False),
        ("SOL", 2, False),
        ("WLFI", 0, True),
    ]
    with pytest.raises(TapeError, match="no market data"):
        survey(frames[3:]).universe()
