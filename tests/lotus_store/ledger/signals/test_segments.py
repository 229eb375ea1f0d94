"""The catalogue of closed segments."""

from dataclasses import replace

from lotus_store.databases import Databases
from lotus_store.ledger.signals import segments

DAY = "2025-01-02"


def test_the_tape_catalogue(databases: Databases) -> None:
    segment = segments.Segment(
        "live", f"{DAY}/080000-0.zst", DAY, "ab", 10, 99, 1, 2, {"l2Book": 7}, [{"asset": "BTC", "start_ms": 5}]
    )
    gap = segments.TapeGap("BTC", 5, 20_005, "silence")
    bad = segments.QuarantinedRow(3, "json", "truncated \0 at byte 7", "{\ud800")
    with databases.connect("sig") as c:
        for _ in range(2):
            segments.put_segment(c, segment)
            segments.write_gaps(c, "live", DAY, [gap])
            segments.write_quarantine(c, "live", DAY, [bad])
        assert segments.read_segments(c, "live") == segments.read_segments(c, "live", DAY) == [segment]
        assert segments.read_segments(c, "live", "2025-01-09") == segments.read_segments(c, "other") == []
        assert segments.read_gaps(c, "live", DAY) == [gap]
        assert segments.read_quarantine(c, "live", DAY) == [
            segments.QuarantinedRow(3, "json", "truncated \\0 at byte 7", "{\\ud800")
        ]
        segments.put_segment(c, replace(segment, state="pruned"))
        assert [s.state for s in segments.read_segments(c, "live")] == ["pruned"]
