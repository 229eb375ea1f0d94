"""A day split into blocks and joined has the bits, rows and checks of the day in one piece, and leaves nothing."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from lotus.errors import LakeError, LedgerError
from lotus.simulation.spec import BTC, ETH, SOL, WorldSpec
from lotus.simulation.world import World
from lotus_assets.bodies import stage_context
from lotus_assets.retention.frames import rebuild_frames
from lotus_assets.stages.blocks.block import blocks_of
from lotus_assets.stages.blocks.work import is_block_made, is_made, is_split, make_block, split_day
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.order import TAPE_STAGES
from lotus_assets.stages.runner import run_stage, stands
from lotus_assets.stages.tape import microtape_frames
from lotus_resources.lotus_resource import Lotus
from lotus_resources.recent_values import RecentValues
from lotus_store.config import Settings
from lotus_store.ledger.day_commits import forget_commits, read_commit
from lotus_store.ledger.part_commits import blocks_done
from lotus_store.settings.sections import FleetSettings
from lotus_store.tape.import_world import import_world

SPEC = WorldSpec("demo", seed=5, days=2, assets=(BTC, ETH, SOL), sessions=(("00:03", "00:09"), ("22:40", "22:46")))
DAY = SPEC.day(1)  # warmed by the evening before

pytestmark = pytest.mark.process("days through the stages of the tape, three times")


@contextmanager
def opened(settings: Settings, block_symbols: int) -> Iterator[StageContext]:
    """Open a home whose fleet has blocks of so many coins."""
    lotus = Lotus.open(replace(settings, fleet=FleetSettings(block_symbols=block_symbols)))
    try:
        with stage_context(lotus) as ctx:
            yield ctx
    finally:
        lotus.close()


def run_day(ctx: StageContext) -> dict[str, tuple[str, int, dict[str, bool]]]:
    """Run the stages of the tape; return content, rows and checks of each."""
    out = {}
    for stage in TAPE_STAGES:
        done = run_stage(ctx, stage, DAY)
        assert not done.failed_checks
        out[stage.name] = done.content_hash, done.rows, {check.name: check.passed for check in done.checks}
    return out


def begin_anew(ctx: StageContext) -> None:
    """Forget all that was made of the tape."""
    forget_commits(ctx.sig, ctx.tape_branch, "")
    shutil.rmtree(ctx.settings.lake_root)


@pytest.fixture
def home(settings: Settings) -> Settings:
    """A home with a tape of two days."""
    with opened(settings, 16) as ctx:
        import_world(ctx.tape, World(SPEC), range(SPEC.days))
    return settings


def test_blocks_join_to_the_bits_of_the_whole_day(home: Settings) -> None:
    with opened(home, 16) as ctx:
        whole = run_day(ctx)
        notes = {s.name: read_commit(ctx.sig, ctx.tape_branch, DAY, s.name) for s in TAPE_STAGES}
        warmed = ctx.lake.read("microtape_warmup", ctx.tape_branch, DAY)
        assert len(warmed["asset"]) > 1000
    for size in (1, 2):
        with opened(home, size) as ctx:
            begin_anew(ctx)
            assert not is_split(ctx, DAY)
            assert [result.stage for result in split_day(ctx, DAY)] == ["raw_tape", "microtape_prints"]
            assert is_split(ctx, DAY)
            assert not is_made(ctx, DAY)
            for block in reversed(blocks_of(ctx)):
                assert not is_block_made(ctx, DAY, block)
                make_block(ctx, DAY, block)
                assert is_block_made(ctx, DAY, block)
                make_block(ctx, DAY, block)  # asked for twice: nothing is done
            ctx = replace(ctx, recent=RecentValues())
            assert run_day(ctx) == whole
            assert blocks_done(ctx.sig, ctx.tape_branch, DAY) == {}
            assert not list(Path(ctx.settings.lake_root).glob("block_*/**/part.parquet"))
            joined = read_commit(ctx.sig, ctx.tape_branch, DAY, "microtape_frames")
            assert joined is not None
            before = notes["microtape_frames"]
            assert before is not None
            assert joined.notes["notes"] == {**before.notes["notes"], "blocks": len(blocks_of(ctx))}
            assert joined.inputs_hash == before.inputs_hash
            shutil.rmtree(Path(ctx.settings.lake_root) / "microtape_frames")  # as retention lets it go
            assert rebuild_frames(ctx, DAY) == joined
            assert stands(ctx, microtape_frames.STAGE, DAY)
            make_block(ctx, DAY, blocks_of(ctx)[0])  # late: the day stands
            assert blocks_done(ctx.sig, ctx.tape_branch, DAY) == {}


def test_a_day_that_lacks_a_block_is_made_whole_and_one_asked_too_early_says_so(home: Settings) -> None:
    with opened(home, 16) as ctx:
        whole = run_day(ctx)
        begin_anew(ctx)
    with opened(home, 1) as ctx:
        first, second, _ = blocks_of(ctx)
        with pytest.raises(LedgerError, match=r"block-0-of-3 of .* has no events; expected: the day split first"):
            make_block(ctx, DAY, first)
        split_day(ctx, DAY)
        make_block(ctx, DAY, first)
        assert [is_block_made(ctx, DAY, block) for block in blocks_of(ctx)] == [True, False, False]
        piece = ctx.lake.symbols("block_values", ctx.tape_branch, DAY)[-1]
        ctx.lake.remove("block_values", ctx.tape_branch, DAY, piece)
        with pytest.raises(LakeError, match="there is no"):
            make_block(ctx, DAY, blocks_of(ctx)[-1])
        make_block(ctx, DAY, second)
        ctx = replace(ctx, recent=RecentValues())
        assert run_day(ctx) == whole
