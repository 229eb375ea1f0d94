"""Groups of coins: fixed for few, fifths by spread for many, frozen by the week from days before it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lotus.detectors.daily.asset_groups import fifths_of_week, groups_by_name, groups_of
from lotus.detectors.daily.history import MAX_ASSETS, DayHistory
from lotus.detectors.daily.make import day_tables
from lotus.detectors.daily.tables import tables_from_json, tables_to_json
from lotus.detectors.registry import shipped_detectors
from lotus.manifest import Asset, LearningDefaults, Manifest
from lotus.priors.vocabulary import FEATURE_NAMES, NULL_BIN

MANY = tuple(Asset(f"A{k}", 2) for k in range(10))
ON = Manifest(universe=MANY, learning=LearningDefaults(asset_context=True))
WEEK = [f"2026-01-{d:02d}" for d in range(12, 19)]  # Monday to Sunday


def seen(chain, day: str, spreads: Sequence[float]) -> DayHistory:
    """A day on which coin k had a quoted spread of about spreads[k]; NaN: it was not there."""
    coins = [k for k, s in enumerate(spreads) if s == s]
    rng = np.random.default_rng(len(day))
    key = np.array([w * MAX_ASSETS + k for w in range(40) for k in coins], dtype=np.int64)
    x = np.full((len(key), len(FEATURE_NAMES)), np.nan)
    x[:, FEATURE_NAMES.index("spread")] = np.array(spreads)[key % MAX_ASSETS] * rng.uniform(0.9, 1.1, len(key))
    return replace(chain.history[-1], day=day, key=key, x=x)


def test_few_coins_are_groups_of_their_own_and_need_no_table(chain) -> None:
    tables = chain.tables[-1]
    assert tables.asset_fifths == ()
    assert groups_of(tables).tolist() == [0, 1, 2]
    assert groups_by_name(tables) == {"A0": 0, "A1": 1, "A2": 2}
    on = replace(chain.manifest, learning=ON.learning)
    assert fifths_of_week("2026-01-14", chain.history, on, chain.manifest.universe) == ()


def test_one_coin_has_no_group() -> None:
    one = day_tables("2026-01-14", [], Manifest(), (Asset("A0", 2),), shipped_detectors())
    assert groups_of(one).tolist() == [NULL_BIN]


def test_many_coins_fall_into_fifths_by_their_spread(chain) -> None:
    spreads = [5.0, 0.1, 3.0, np.nan, 0.5, 9.0, 0.2, 2.0, 1.0, 7.0]
    history = [seen(chain, "2026-01-09", spreads)]
    found = fifths_of_week("2026-01-14", history, ON, MANY)
    assert found == (3, 0, 2, NULL_BIN, 1, 4, 0, 2, 1, 3)
    assert fifths_of_week("2026-01-14", history, replace(ON, learning=LearningDefaults()), MANY) == ()
    assert fifths_of_week("2026-01-14", [], ON, MANY) == ()


def test_fifths_stand_still_in_a_week_and_know_nothing_of_it(chain) -> None:
    rising, falling = [float(k + 1) for k in range(10)], [float(10 - k) for k in range(10)]
    history = [seen(chain, f"2026-01-{d:02d}", rising) for d in range(5, 12)]
    whole = history + [seen(chain, day, falling) for day in WEEK]
    for day in WEEK:
        told = [h for h in whole if h.day < day]
        assert fifths_of_week(day, told, ON, MANY) == (0, 0, 1, 1, 2, 2, 3, 3, 4, 4)
    assert fifths_of_week("2026-01-19", whole, ON, MANY) == (4, 4, 3, 3, 2, 2, 1, 1, 0, 0)


def test_tables_have_another_name_only_where_coins_have_fifths() -> None:
    plain = day_tables("2026-01-14", [], replace(ON, learning=LearningDefaults()), MANY, shipped_detectors())
    blank = day_tables("2026-01-14", [], ON, MANY, shipped_detectors())
    assert blank.tables_ver == plain.tables_ver
    fifths = replace(blank, asset_fifths=(0, 0, 1, 1, 2, 2, 3, 3, 4, 4))
    assert fifths.tables_ver != plain.tables_ver
    assert tables_from_json(tables_to_json(fifths)) == fifths
    assert groups_by_name(fifths)["A9"] == 4
