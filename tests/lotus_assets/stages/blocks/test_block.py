"""What blocks found is joined: a failure decides, counts are added, limits are not, unseen is what nobody saw."""

from dataclasses import replace
from unittest.mock import Mock

from lotus_assets.stages.blocks.block import SymbolBlock, begin_blocks, joined_checks, joined_notes, tidy
from lotus_assets.stages.context import StageContext
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.lake import Lake
from lotus_store.ledger.part_commits import PartCommit, blocks_done, put_part
from lotus_store.settings.sections import FleetSettings


def part(*checks: list[object], **notes: int) -> PartCommit:
    return PartCommit("b", "d", "s", "x", "i", "c", 1, {"checks": list(checks), "notes": notes, "table": None})


def test_checks_and_notes_of_blocks_are_joined() -> None:
    fine = ["gaps_accounted", True, "fine", {"gaps": 2, "gap_ms": 10}, False]
    bad = ["gaps_accounted", False, "a hole", {"gaps": 3, "gap_ms": 10}, False]
    unseen = ["no_look_ahead", True, "nothing", {}, True]
    first, second = part(fine, unseen, events=4), part(bad, unseen, events=5)
    gaps, look = joined_checks([first, second])
    assert (gaps.passed, gaps.text, dict(gaps.numbers), gaps.unseen) == (
        False,
        "a hole",
        {"gaps": 5, "gap_ms": 10},
        False,
    )
    assert (look.passed, look.unseen) == (True, True)
    assert joined_checks([first, first])[0].text == "2 blocks, the first: fine"
    assert joined_notes([first, second]) == {"events": 9, "blocks": 2}


def test_a_block_names_its_place() -> None:
    block = SymbolBlock(1, 3, 16, 32)
    assert (block.name, list(block.assets)[:2], len(block.assets)) == ("block-1-of-3", [16, 17], 16)


def test_leavings_are_not_looked_for_where_no_block_was_ever_made(settings: Settings, databases: Databases) -> None:
    begin_blocks()
    lake, left = Mock(Lake), PartCommit("tape.live", "d", "s", "x", "i", "c", 1, {})
    lake.branches.return_value = lake.symbols.return_value = []
    with databases.connect("sig", autocommit=True) as sig:
        ctx = StageContext(settings, lake, databases, Mock(), settings.manifest, sig, Mock())
        tidy(ctx, "s", "d", ["block_a", "block_b"])
        assert lake.branches.call_count == 2
        for day in ("d", "e", "f"):
            tidy(ctx, "s", day, ["block_a", "block_b"])
        assert (lake.branches.call_count, lake.symbols.call_count) == (2, 0), "once a process"
        put_part(sig, left)
        tidy(replace(ctx, settings=replace(settings, fleet=FleetSettings(slots=1))), "s", "d", ["block_a"])
        assert blocks_done(sig, "tape.live", "d") == {}, "with a fleet it looks each time"
        put_part(sig, left)
        begin_blocks()
        tidy(ctx, "s", "d", ["block_a"])
        assert blocks_done(sig, "tape.live", "d") == {}, "what another process left"
        lake.branches.return_value, lake.symbols.return_value = ["tape.live"], ["block-0-of-2"]
        tidy(ctx, "s", "d", ["block_a"])
        assert lake.remove.call_args.args == ("block_a", "tape.live", "d", "block-0-of-2")
