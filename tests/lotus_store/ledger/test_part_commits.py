"""The first content of a block stands, the same again changes nothing, and another one is refused by name."""

from dataclasses import replace

import pytest

from lotus_store.databases import Databases
from lotus_store.ledger.part_commits import (
    NondeterminismError,
    PartCommit,
    blocks_done,
    drop_parts,
    has_parts,
    put_part,
    read_part,
)

PART = PartCommit("tape.t", "2026-01-05", "microtape_frames", "block-0-of-2", "in", "content", 7, {"notes": {"a": 1}})


def test_the_first_content_stands_and_another_is_refused(databases: Databases) -> None:
    with databases.connect("sig", autocommit=True) as sig:
        put_part(sig, PART)
        put_part(sig, PART)
        with pytest.raises(NondeterminismError, match=r"block-0-of-2 of microtape_frames.* gave x; expected: content"):
            put_part(sig, replace(PART, content_hash="x"))
        put_part(sig, replace(PART, inputs_hash="other", content_hash="x"))  # of other code
        place = PART.branch, PART.day, PART.stage
        assert read_part(sig, *place, PART.block, "in") == PART
        assert read_part(sig, *place, "block-1-of-2", "in") is None
        assert blocks_done(sig, PART.branch, PART.day) == {PART.stage: [PART.block, PART.block]}
        assert (has_parts(sig, PART.branch), has_parts(sig, "other")) == (True, False)
        drop_parts(sig, *place)
        assert not has_parts(sig, PART.branch)
        assert blocks_done(sig, PART.branch, PART.day) == {}
