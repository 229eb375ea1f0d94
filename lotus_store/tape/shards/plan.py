"""How a tape is divided: `shards.json` says into how many, `shard=K` below the tape's folder is a tape of its own.

A coin belongs to the shard of its place in the universe modulo the number of shards, so coins that are added at the end
move no other. The number of shards of a tape never changes. Of days that were split afterwards `order` holds which
shard each line went to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from lotus.errors import TapeError
from lotus_store.files import create_bytes
from lotus_store.sealed import seal_json, unseal_json

PLAN: Final = "shards.json"
ORDER: Final = "order"
MOST_SHARDS: Final = 64
Coin = TypeVar("Coin")


class ShardPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Into how many shards a tape is divided."""

    shards: int


@dataclass(frozen=True, slots=True)
class Shard:
    """The `number`-th of `count` shards, from 0."""

    number: int
    count: int

    @property
    def step(self) -> str:
        """The name of its folder."""
        return f"shard={self.number}"

    def of(self, universe: Sequence[Coin]) -> tuple[Coin, ...]:
        """Return its coins; raises `TapeError` where it has none."""
        if self.number >= len(universe):
            cause = "more shards than coins in the universe"
            raise TapeError(
                f"shard {self.number} of {self.count} has no coin of {len(universe)}", "one at least", cause
            )
        return tuple(universe[self.number :: self.count])


def shards_of(count: int) -> list[Shard]:
    """Return all shards of a tape."""
    return [Shard(number, count) for number in range(count)]


def read_plan(folder: Path) -> int:
    """Return the number of shards of a tape, 0 for one without; raises `TapeError` for a damaged plan."""
    try:
        raw = (folder / PLAN).read_bytes()
    except FileNotFoundError:
        return 0
    return decode_plan(raw, str(folder / PLAN))


def decode_plan(raw: bytes, where: str) -> int:
    """Return the number of shards that a plan says; raises `TapeError`."""
    try:
        count = unseal_json(raw, ShardPlan).shards
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise TapeError(
            f"{where} is damaged ({problem})", "JSON as written by lotus", "take it from a backup"
        ) from problem
    if not 1 <= count <= MOST_SHARDS:
        raise TapeError(f"{where} says {count} shards", f"1 to {MOST_SHARDS}", "a file changed by hand")
    return count


def write_plan(folder: Path, count: int) -> None:
    """Say into how many shards a tape is divided; raises `TapeError` where another number was said."""
    if not create_bytes(folder / PLAN, seal_json(ShardPlan(count), indent=1)):
        refuse_other(folder, count)


def refuse_other(folder: Path, count: int) -> None:
    """Raise `TapeError` where a tape is divided into another number of shards."""
    held = read_plan(folder)
    if held not in (0, count):
        cause = "their number was changed: give the tape another name"
        raise TapeError(f"tape {folder.name} has {held} shards", f"{count}, as asked for", cause)
