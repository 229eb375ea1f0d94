"""Lists of segments in the ledger: what is read back, by day, and that what stands is never changed."""

from dataclasses import replace

import pytest

from lotus.detectors.daily.segment_set import DISTILLED, SHIPPED, SegmentSet
from lotus.errors import LedgerError
from lotus_store.databases import Databases
from lotus_store.ledger.beliefs.segments import put_segments, segment_sets, segments_on

CALM, WILD = "vol <= 2bps/sqrt(min)", "vol > 2bps/sqrt(min)"
FIRST = SegmentSet("2026-01-14", "2026-01-12", ("BTC", "ETH"), ((CALM, WILD), ()), 0.91, DISTILLED, 3, (3.0, 4.5, 5.0),
                   (0.4, 0.6))  # fmt: skip
SECOND = replace(FIRST, from_day="2026-01-21", judged_day="2026-01-19", texts=((CALM,), (WILD,)), origin=SHIPPED)


def test_lists_hold_by_day_and_the_first_of_a_day_stays(databases: Databases) -> None:
    with databases.connect("sig") as c:
        for one in (SECOND, FIRST, FIRST, replace(FIRST, texts=((WILD,), ()))):
            put_segments(c, "main", one)
        assert segment_sets(c, "main") == [FIRST, SECOND]
        days = ("2026-01-13", "2026-01-14", "2026-01-20", "2026-01-21")
        assert [segments_on(c, "main", day) for day in days] == [None, FIRST, FIRST, SECOND]
        assert segments_on(c, "other", "2026-02-01") is None


def test_a_list_is_named_by_its_coins_and_flags_and_an_altered_row_is_noticed(databases: Databases) -> None:
    assert FIRST.set_ver == replace(FIRST, from_day="2026-01-15", agreement=0.5).set_ver != SECOND.set_ver
    assert FIRST.of(("ETH", "SOL", "BTC")) == ((), (), (CALM, WILD))
    with databases.connect("sig") as c:
        c.execute(
            "INSERT INTO segments (branch, from_day, judged_day, set_ver, origin, texts, agreement, body) VALUES"
            " ('main', '2026-01-14', '2026-01-12', 'x', 'shipped', %s, 0.5, %s)",
            ['{"BTC": []}', '{"assets": ["BTC"], "states": 3, "bic": [], "shares": []}'],
        )
        with pytest.raises(LedgerError, match="hash to"):
            segments_on(c, "main", "2026-01-14")
