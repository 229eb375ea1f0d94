"""The health of a feed: shares of nulls, lags and units as a table that reads back, also of coins without a row."""

import numpy as np

from lotus.curation.feed_health import DECIMALS, FEED_HEALTH, LAG, MID, OI, feed_day, feed_health
from lotus.manifest import Asset
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.spec import C_IMB_5, C_MID, C_OI, N_FLOATS

UNIVERSE = (Asset("ETH", 4), Asset("BTC", 5), Asset("SOL", 2))


def test_the_table_says_what_was_there() -> None:
    ints, floats = np.zeros((8, 7), np.int64), np.ones((8, N_FLOATS))
    ints[4:, 0] = 1
    floats[:4, C_IMB_5], floats[4, C_MID] = np.nan, np.nan
    floats[4:, C_MID] = np.array([np.nan, 1.0, 3.0, 5.0])
    floats[4:, C_OI] = np.array([7.0, 9.0, np.nan, np.nan])
    frames = FrameBatch(UNIVERSE, 200, ints, floats, np.zeros((0, 8), np.int64), np.zeros((0, 4), np.int64))
    times = np.arange(1_000)
    quotes = {"BTC": ((times + np.where(times >= 980, 3_000, 5)) * 1_000_000, times), "SOL": (times[:0], times[:0])}
    rows = feed_health(frames, quotes, UNIVERSE)
    assert set(rows) == set(FEED_HEALTH.names)
    keys = list(zip(rows["asset"].tolist(), rows["series"].tolist(), strict=True))
    assert keys == sorted(set(keys))
    day = feed_day("2026-01-05", rows)
    assert (day.nulls["ETH", "imb_5"], day.nulls["BTC", "imb_5"], day.nulls["BTC", MID]) == (1.0, 0.0, 0.25)
    assert (day.values["BTC", MID], day.values["BTC", LAG], day.values["SOL", DECIMALS]) == (3.0, 3_000.0, 2.0)
    assert (day.values["BTC", OI], day.values["ETH", OI]) == (8.0, 1.0)
    assert ("ETH", LAG) not in day.values
    assert ("SOL", MID) not in day.nulls


def test_a_day_without_anything_is_an_empty_table() -> None:
    nothing = FrameBatch(
        (), 200, np.zeros((0, 7), np.int64), np.zeros((0, N_FLOATS)), *(np.zeros((0, 8), np.int64),) * 2
    )
    rows = feed_health(nothing, {}, ())
    assert all(len(values) == 0 for values in rows.values())
    assert not feed_day("2026-01-05", rows).nulls
