"""What a block of a day is: symbols that stand together, the parts it writes, and the joining of what blocks made.

Parts of a symbol are written where the whole day would write them. What a day has of all symbols together is written
by each block to a table of its own and put together when all are there, in the order of the whole day; then the day has
the bits that it has when it is made in one piece, and blocks leave nothing behind. (Literature: map and reduce.)
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from lotus.columns import TableSpec
from lotus.hashing import natural_id
from lotus.manifest import Asset
from lotus_assets.catalogue import BY_NAME
from lotus_assets.code_version import code_version
from lotus_assets.stages.context import Cell, CheckOutcome, Made, StageContext
from lotus_assets.stages.lake_tables import LakeTable, TablePart, parts_hash
from lotus_assets.stages.tape.tape_input import tape_hash
from lotus_store.ledger.part_commits import PartCommit, drop_parts, has_parts, read_part

_PREFIX = "block_"
LIMITS = ("gap_ms",)  # numbers of checks that are the same in all blocks
_NEVER: set[tuple[str, str, str]] = set()  # lake, branch and stage of which no block was made, as this process found
BlockParts = Callable[[StageContext, "SymbolBlock"], Sequence[TablePart]]


@dataclass(frozen=True, slots=True)
class SymbolBlock:
    """Symbols at places `first` to `stop` (not included) of the universe, the `number`-th of `count` blocks."""

    number: int
    count: int
    first: int
    stop: int

    @property
    def name(self) -> str:
        """How rows and parts call it."""
        return f"block-{self.number}-of-{self.count}"

    @property
    def assets(self) -> range:
        """The places of its symbols in the universe."""
        return range(self.first, self.stop)

    def symbols(self, universe: Sequence[Asset]) -> list[str]:
        """Return the names of its symbols."""
        return [asset.name for asset in universe[self.first : self.stop]]

    def part(self, spec: TableSpec) -> TablePart:
        """Return the part of this block of a table that a day has of all symbols together."""
        return TablePart(replace(spec, name=block_table(spec)), self.name)


def block_table(spec: TableSpec) -> str:
    """Return the name of the table to which blocks write what a day has of all symbols together."""
    return f"{_PREFIX}{spec.name}"


def day_table(part: TablePart) -> str:
    """Return the name of the day's table of a part, whoever wrote it."""
    return part.spec.name.removeprefix(_PREFIX)


def blocks_of(ctx: StageContext) -> list[SymbolBlock]:
    """Return the blocks of the universe, `[fleet] block_symbols` each."""
    size, symbols = ctx.settings.fleet.block_symbols, len(ctx.manifest.universe)
    count = -(-symbols // size)
    return [SymbolBlock(k, count, k * size, min(symbols, (k + 1) * size)) for k in range(count)]


def part_inputs(ctx: StageContext, stage: str, day: str, block: SymbolBlock) -> str:
    """Return the hash of a block's code and of all that it reads: the tape, the manifest and its place in it."""
    code = code_version(*BY_NAME[stage].packages)
    places = block.first, block.stop, block.name
    return natural_id(stage, day, ctx.tape_branch, code, ctx.manifest.version, tape_hash(ctx, day), *places)


def part_of(ctx: StageContext, stage: str, day: str, block: SymbolBlock) -> PartCommit | None:
    """Return the record of a block that its present code and inputs gave, None where there is none."""
    inputs = part_inputs(ctx, stage, day, block)
    return read_part(ctx.sig, ctx.tape_branch, day, stage, block.name, inputs)


def finished_part(ctx: StageContext, stage: str, day: str, block: SymbolBlock, parts: BlockParts) -> PartCommit | None:
    """Return the record of a block whose files are there, None where it is not finished."""
    part = part_of(ctx, stage, day, block)
    is_there = part is not None and parts_hash(ctx, ctx.tape_branch, day, parts(ctx, block)) == part.content_hash
    return part if is_there else None


def made_parts(ctx: StageContext, stage: str, day: str, parts: BlockParts) -> list[PartCommit] | None:
    """Return the records of all blocks of a stage and day, None unless all are finished and their files there."""
    found = []
    for block in blocks_of(ctx):
        part = finished_part(ctx, stage, day, block, parts)
        if part is None:
            return None
        found.append(part)
    return found


def begin_blocks() -> None:
    """Say that this process makes blocks: from now on it looks for what they leave."""
    _NEVER.clear()


def tables_of(ctx: StageContext, spec: TableSpec, day: str, parts: Sequence[PartCommit]) -> list[LakeTable]:
    """Return what blocks wrote of a table that the day has of all symbols together."""
    return [ctx.lake.read(block_table(spec), ctx.tape_branch, day, part.block) for part in parts]


def notes_of(made: Made) -> Mapping[str, object]:
    """Return what a block's record keeps of what was made, for the joining."""
    checks = [[c.name, c.passed, c.text, dict(c.numbers), c.unseen] for c in made.checks]
    table = None if made.table is None else [list(row) for row in made.table.rows]
    return {"notes": dict(made.notes), "checks": checks, "table": table}


def joined_checks(parts: Sequence[PartCommit]) -> tuple[CheckOutcome, ...]:
    """Return the checks of all blocks, one of each name: the first failure decides its text, counts are added up."""
    by_name: dict[str, list[CheckOutcome]] = {}
    for part in parts:
        for check in part.notes["checks"]:
            by_name.setdefault(check[0], []).append(CheckOutcome(*check))
    return tuple(_joined(name, outcomes) for name, outcomes in by_name.items())


def _joined(name: str, outcomes: Sequence[CheckOutcome]) -> CheckOutcome:
    failed = [x for x in outcomes if not x.passed]
    numbers: dict[str, Cell] = {}
    for outcome in outcomes:
        for key, value in outcome.numbers.items():
            before = numbers.get(key)
            if isinstance(before, int | float) and isinstance(value, int | float) and key not in LIMITS:
                value = before + value
            numbers[key] = value
    text = failed[0].text if failed else f"{len(outcomes)} blocks, the first: {outcomes[0].text}"
    return CheckOutcome(name, not failed, text, numbers, all(x.unseen for x in outcomes))


def joined_notes(parts: Sequence[PartCommit]) -> dict[str, Cell]:
    """Return the notes of all blocks, counts added up, and how many blocks there were."""
    notes: dict[str, Cell] = {}
    for part in parts:
        for name, value in part.notes["notes"].items():
            notes[name] = notes.get(name, 0) + value
    return notes | {"blocks": len(parts)}


def tidy(ctx: StageContext, stage: str, day: str, tables: Sequence[str]) -> None:
    """Remove what blocks of a committed stage left: their parts of tables of their own, and their rows.

    Where no fleet is set up and a look once a process finds that the branch never had blocks, nothing is asked.
    """
    if not ctx.settings.fleet.slots:
        key = (ctx.settings.lake_root, ctx.tape_branch, stage)
        if key not in _NEVER and not has_parts(ctx.sig, ctx.tape_branch):
            _NEVER.update({key} if not any(ctx.tape_branch in ctx.lake.branches(name) for name in tables) else ())
        if key in _NEVER:
            return
    for name in tables:
        for symbol in ctx.lake.symbols(name, ctx.tape_branch, day):
            ctx.lake.remove(name, ctx.tape_branch, day, symbol)
    drop_parts(ctx.sig, ctx.tape_branch, day, stage)
