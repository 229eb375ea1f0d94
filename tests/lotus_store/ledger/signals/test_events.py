"""Events of a day: they arrive to the bit, replace their day, and a failed write leaves it as it was."""

import math

import numpy as np
import pytest

from lotus.errors import LedgerError, SchemaError
from lotus.outcomes.signal_eval import signal_eval_spec
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.signals import events

from ..made_rows import some_events, table

DAY = "2025-01-02"


def count(c: Connection, name: str) -> int:
    row = c.execute(f"SELECT count(*) FROM {name}").fetchone()  # type: ignore[call-overload]
    return int(row[0])


def signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value


def test_events_arrive_to_the_bit_and_replace_their_day(databases: Databases) -> None:
    rows = some_events(200)
    with databases.connect("sig") as c:
        assert events.write_events(c, "main", DAY, rows) == 200
        assert events.write_events(c, "main", "2025-01-03", some_events(5, seed=1)) == 5
        for i in (0, 7, 199):
            found = events.read_event(c, rows["event_id"][i])
            assert found.pop("day") == DAY
            for name, value in found.items():
                expected = rows[name][i]
                if isinstance(expected, np.float64):
                    assert np.float64(value).tobytes() == expected.tobytes() or (
                        math.isnan(value) and np.isnan(expected)
                    )
                else:
                    assert value == (signed(int(expected)) if rows[name].dtype == "u8" else expected), name
        half = {name: values[:100] for name, values in rows.items()}
        assert events.write_events(c, "main", DAY, half) == 100
        assert count(c, "signal_events") == 105
        assert events.event_days(c, "main") == [DAY, "2025-01-03"]
        events.write_events(c, "main", DAY, {name: values[:0] for name, values in rows.items()})
        assert events.event_days(c, "main") == ["2025-01-03"]


def test_a_failed_write_leaves_the_day_as_it_was(databases: Databases) -> None:
    with databases.connect("sig") as c:
        events.write_events(c, "main", DAY, some_events(10))
    bad = some_events(10, seed=3)
    del bad["pi"]
    with databases.connect("sig") as c:
        with pytest.raises(SchemaError, match="lack the column 'pi'"):
            events.write_events(c, "main", DAY, bad)
        c.rollback()
        with pytest.raises(LedgerError, match="branch 'other'"):
            events.write_events(c, "main", DAY, some_events(3, "other"))
        with pytest.raises(LedgerError, match="there is no event"):
            events.read_event(c, "nothing")
        assert count(c, "signal_events") == 10


def test_outcomes_with_their_horizons(databases: Databases) -> None:
    horizons = (30, 900)
    rows = table(signal_eval_spec(horizons).columns, 50)
    rows["event_id"] = np.array([f"e{i:03d}" for i in range(50)], dtype=object)
    with databases.connect("sig") as c:
        for _ in range(2):
            assert events.write_eval(c, "main", DAY, rows, horizons) == 50
        assert (count(c, "signal_eval"), count(c, "signal_eval_horizons")) == (50, 100)
        found = events.read_eval(c, "e007")
        assert found is not None
        assert [h["horizon_s"] for h in found["horizons"]] == [30, 900]
        np.testing.assert_equal(found["horizons"][1]["mae"], rows["mae_900"][7])
        np.testing.assert_equal(found["payoff_y"], rows["payoff_y"][7])
        assert events.read_eval(c, "nothing") is None
