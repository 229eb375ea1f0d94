"""What blocks found is joined: a failure decides, counts are added, limits are not, unseen is what nobody saw."""

from lotus_assets.stages.blocks.block import SymbolBlock, joined_checks, joined_notes
from lotus_store.ledger.part_commits import PartCommit


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
