"""A shard as its recorder has it: its part of the tape, its coins, and what has to be so before the first line."""

from msgspec.structs import replace

from lotus.errors import TapeError
from lotus_store.tape.header import TapeHeader
from lotus_store.tape.shards.plan import Shard, refuse_other, write_plan
from lotus_store.tape.shared import utc_day
from lotus_store.tape.store import TapeStore


class RecordedShard:
    """One shard of a tape of this home; `part` is its own tape and `header` what that has."""

    def __init__(self, whole: TapeStore, header: TapeHeader, shard: Shard) -> None:
        """Look only; raises `TapeError` for another number of shards or universe, and a day that was begun whole."""
        self._whole, self._header, self._shard = whole, header, shard
        self.part = whole.part(shard.step)
        self.header = replace(header, tape=self.part.tape, universe=shard.of(header.universe))
        if whole.exists():
            whole.write_header(header)
        refuse_other(whole.folder, shard.count)
        days = whole.days_here()
        if days and days[-1] >= utc_day():
            cause = "it was recorded without --shard: begin tomorrow, or give the tape another name"
            raise TapeError(f"{days[-1]} of tape {whole.tape} was begun whole", "a day of shards alone", cause)

    def begin(self) -> None:
        """Say into how many shards the tape is divided, and what coins all have; once said nothing changes."""
        if not self._whole.is_here():
            self._whole.write_header(self._header)
        write_plan(self._whole.folder, self._shard.count)
