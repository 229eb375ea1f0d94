"""A table of the lake as DuckDB scans it: of every branch, day and symbol, and only the files that a question needs.

The columns are the steps of the path (branch, day, and symbol where the table is split by it), then those of the files.
A part is found by listing the folders that the conditions leave, so a question about a day opens the files of that day.
Page checksums are compared; content hashes are not, which `Lake.read` does. Nothing is written.
(Literature: Hive partitions.)
"""

import functools
import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from lotus.errors import LakeError
from lotus.names import name_of_step
from lotus_store.lake import DAMAGE, DAMAGED, PART
from lotus_store.views.pushdown import ColumnCondition, conditions

STEPS = ("branch", "day", "symbol")
BATCH_ROWS = 1 << 16
READ_AHEAD = 2  # batches, and files

_FORMAT = ds.ParquetFileFormat(
    default_fragment_scan_options=ds.ParquetFragmentScanOptions(page_checksum_verification=True, pre_buffer=False)
)


@dataclass(frozen=True, slots=True)
class LakeFolder:
    """A folder of one table: its path, and what its steps name."""

    path: str
    steps: dict[str, str]


class LakeTable(ds.Dataset):  # type: ignore[misc]  # pyarrow has no types
    """All parts of one table, read when they are scanned."""

    def __init__(self, filesystem: Any, folder: str, later: Mapping[str, Any]) -> None:
        """Read the columns from the newest part of each branch; raises `LakeError` where there is none, or damage.

        `later` has names and Arrow types of columns that a part need not have; they are null there.
        """
        self._fs, self._folder, self._later = filesystem, folder, later
        self._columns = self._schema()

    @property
    def schema(self) -> Any:
        """Columns and types: an Arrow schema."""
        return self._columns

    def scanner(self, columns: Any = None, filter: Any = None, **_: Any) -> Any:
        """Return Arrow's scanner of some columns of the rows that a filter takes."""
        wanted = [] if filter is None else conditions(str(filter))
        fragments = [_fragment(folder, self._fs) for folder in _parts(self._fs, self._folder, wanted)]
        return ds.FileSystemDataset(fragments, self._columns, _FORMAT, self._fs).scanner(
            columns=columns, filter=filter, batch_size=BATCH_ROWS, batch_readahead=READ_AHEAD,
            fragment_readahead=READ_AHEAD,
        )  # fmt: skip

    def _schema(self) -> Any:
        """Return the columns of the newest part of each branch together, behind the steps."""
        newest: list[LakeFolder] = []
        for branch in _below(self._fs, LakeFolder(self._folder, {}), "branch"):
            days = reversed(_below(self._fs, branch, "day"))
            newest += next((parts[:1] for day in days if (parts := _of_day(self._fs, day))), [])
        if not newest:
            raise LakeError(f"{self._folder} holds no part", "a table of the lake", "nothing was computed yet")
        stored = pa.unify_schemas([self._footer(folder) for folder in newest], promote_options="permissive")
        steps = [step for step in STEPS if any(step in folder.steps for folder in newest)]
        fields = [*(pa.field(step, pa.string()) for step in steps), *(f for f in stored if f.name not in steps)]
        fields += [pa.field(name, kind) for name, kind in self._later.items() if name not in stored.names]
        return pa.schema(fields)

    def _footer(self, folder: LakeFolder) -> Any:
        path = f"{folder.path}/{PART}"
        try:
            return pq.read_schema(path, filesystem=self._fs).remove_metadata()
        except DAMAGE as problem:
            reason = str(problem).split("\n")[0]
            raise LakeError(f"{path} cannot be read: {reason}", "a whole Parquet file", DAMAGED) from problem


def has_parts(filesystem: Any, folder: str) -> bool:
    """Tell whether a folder of the lake is that of a table: at least one part lies below it."""
    return next(_parts(filesystem, folder), None) is not None


def _parts(filesystem: Any, folder: str, wanted: Sequence[ColumnCondition] = ()) -> Iterator[LakeFolder]:
    """Yield the folders that hold a part and that the conditions leave, in order of their names."""
    for branch in _below(filesystem, LakeFolder(folder, {}), "branch", wanted):
        for day in _below(filesystem, branch, "day", wanted):
            yield from _of_day(filesystem, day, wanted)


def _of_day(filesystem: Any, day: LakeFolder, wanted: Sequence[ColumnCondition] = ()) -> list[LakeFolder]:
    entries = _entries(filesystem, day.path)
    whole = [day] if any(e.base_name == PART for e in entries) else []
    return whole + _named(entries, day, "symbol", wanted)


def _below(filesystem: Any, folder: LakeFolder, step: str, wanted: Sequence[ColumnCondition] = ()) -> list[LakeFolder]:
    return _named(_entries(filesystem, folder.path), folder, step, wanted)


def _entries(filesystem: Any, folder: str) -> list[Any]:
    """Return what lies in a folder; nothing lies in a file, or in what is not there."""
    try:
        found: list[Any] = filesystem.get_file_info(pafs.FileSelector(folder, allow_not_found=True))
    except NotADirectoryError:
        return []
    return found


def _named(entries: list[Any], above: LakeFolder, step: str, wanted: Sequence[ColumnCondition]) -> list[LakeFolder]:
    """Return the folders `step=NAME` among entries, as far as the conditions leave them, in order of their names."""
    found = [
        LakeFolder(entry.path, above.steps | {step: name_of_step(entry.base_name.partition("=")[2])})
        for entry in entries
        if entry.base_name.startswith(f"{step}=")
    ]
    asked = [c for c in wanted if c.column == step and not isinstance(c.value, int)]
    left = [f for f in found if all(c.holds(f.steps[step]) for c in asked)]
    return sorted(left, key=lambda folder: folder.steps[step])


def _fragment(folder: LakeFolder, filesystem: Any) -> Any:
    """Return one part with what its path says of every row."""
    names = functools.reduce(operator.and_, [pc.field(step) == name for step, name in folder.steps.items()])
    return _FORMAT.make_fragment(f"{folder.path}/{PART}", filesystem, partition_expression=names)
