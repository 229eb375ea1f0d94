"""Profit and loss of a stretch of a real recording, traded at the local exchange: executed rows beside the tape's."""

import gzip
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

import pytest

from lotus.manifest import Asset, Manifest
from lotus.trading.accounts.pnl import NO_EDGE
from lotus_assets.bodies import stage_context
from lotus_assets.stages.order import LEARNING_STAGES, TAPE_STAGES
from lotus_assets.stages.runner import run_stage
from lotus_cli.pnl.page import page
from lotus_live.feed.tape_file import TapeDay
from lotus_live.live import run_live
from lotus_resources.lotus_resource import Lotus
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.facts.pnl.facts import pnl_of
from lotus_store.settings.sections import TradingSettings
from lotus_store.tape.import_recording import import_recording
from lotus_store.tape.store import TapeStore
from lotus_venues.replay_server import ReplayPlan

CAPTURE = Path(__file__).resolve().parents[4] / "shared" / "data" / "hyperliquid-2025-09-04" / "frames.jsonl.gz"
DAY, MINUTES, PACE = "2025-09-04", 6, 15.0  # a window of 30 s is two seconds: enough for its order on a busy machine
NEEDED = {"raw_tape", "microtape_frames", "dsi_annotations", "expert_set", "signal_events", "signal_eval"}


def stretch(folder: Path) -> Path:
    """Write the first minutes of the recording."""
    target = folder / "stretch.jsonl"
    with gzip.open(CAPTURE) as lines:
        first = next(lines)
        end_ns = int(first.split(b" ", 1)[0]) + MINUTES * 60_000_000_000
        rest = takewhile(lambda line: int(line.split(b" ", 1)[0]) < end_ns, lines)
        target.write_bytes(first + b"".join(rest))
    return target


@pytest.mark.process("a real recording is traded at a pace")
@pytest.mark.recordings
@pytest.mark.skipif(not CAPTURE.exists(), reason=f"no recording at {CAPTURE}")
def test_a_stretch_of_the_recording_is_traded_and_told_without_flattery(
    settings: Settings, databases: Databases, tmp_path: Path
) -> None:
    store = TapeStore(settings.home, "rec")
    import_recording(store, [stretch(tmp_path)])
    universe = tuple(Asset(a.name, a.sz_decimals) for a in store.header().assets)
    manifest = replace(Manifest(universe=universe), outcomes=replace(Manifest().outcomes, horizons_s=(30, 300)))
    given = replace(settings, manifest=manifest, tape="rec", trading=TradingSettings(venue="local"))
    live = run_live(
        given, TapeDay(store, DAY), plan=ReplayPlan(speed=PACE), run_id="rec-traded", databases=databases, trade=True
    )
    assert live.status["published"] > 0
    lotus = Lotus.open(given)
    try:
        with stage_context(lotus) as ctx:
            for stage in (s for s in (*TAPE_STAGES, *LEARNING_STAGES) if s.name in NEEDED):
                assert not run_stage(ctx, stage, DAY).failed_checks
    finally:
        lotus.close()
    facts = pnl_of(given, DAY, DAY)
    venue = next(source for source in facts.sources if source.name == "venue")
    with databases.connect("sig") as sig:
        told = sig.execute("SELECT outcome, body ->> 'refusals' FROM executions").fetchall()
    filled = [line for line in venue.detectors if line.trades > line.unfilled]
    assert filled, told
    for line in (venue.total, *venue.detectors):
        sums = line.micro_usd
        costs = sum(sums[name] for name in ("fees", "spread", "slippage", "funding"))
        assert sums["gross"] - costs == sums["net"]
        assert NO_EDGE in line.verdict, "a few minutes can show no edge"
    assert venue.total.micro_usd["fees"] > 0
    text = page(facts)
    assert "## venue: orders filled by a venue" in text
    assert f"**{NO_EDGE}" in text
