"""The lake: one Parquet file per table, branch, day and (where split) symbol, under hive paths.

`<root>/<table>/branch=<b>/day=<d>/[symbol=<s>/]part.parquet`, zstd level 1, integers as differences, page checksums,
and in the footer the content hash of the columns (`lotus.hashing.content_hash`, never of file bytes). A part is made
whole in memory and stored by one put (`lotus_store.blobs`), so none is ever half there. The hash is compared when a
part is read, whichever columns are asked for; of a file in a folder only unless it is still the one that was written
or compared last: that is noted for all processes under `.verified`, with a digest of the footer, which has no checksum.
What else rots beneath the file system is found by the page checksums at every read. Rows keep the order in which they
were given. What a table means does not belong here: that is its `TableSpec`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lotus.columns import TableSpec
from lotus.errors import LakeError, SchemaError
from lotus.hashing import content_hash
from lotus.json_text import read_json
from lotus.names import name_of_step, path_step
from lotus_store.blobs.opening import folder_of, open_blobs
from lotus_store.parquet_part import footer_digest, groups_within, hashed, inside, to_numpy
from lotus_store.sealed import seal_text, unseal_text
from lotus_store.verified import Identity, Verified, identity_of

Array = NDArray[Any]
META = b"lotus"
PART = "part.parquet"
ROW_GROUP = 1 << 15  # rows: what is read at least, two hours of frames
DAMAGE = (OSError, pa.ArrowException, ValueError, TypeError, KeyError, IndexError, OverflowError, MemoryError)
DAMAGED = "damaged on disk; remove the file, then make its day again: lotus backfill --from DAY --to DAY"
FOOTER_BYTES = 1 << 16  # bytes asked for at the end of a part in a bucket: most footers are shorter
_MARKS = ".verified"
REMADE = (
    "microtape_frames",
    "microtape_quotes",
    "microtape_warmup",
)  # tables that retention lets go: the tape gives them again
_DOCUMENT = "document.json"


@dataclass(frozen=True, slots=True)
class Written:
    """What a write left behind: path (or URL path), number of rows and content hash (32 hexadecimal characters)."""

    path: str
    rows: int
    content_hash: str


class Lake:
    """All tables below one root: a folder, or a URL (s3://BUCKET/PATH; see `lotus_store.blobs`)."""

    def __init__(self, root: str | Path) -> None:
        """Open the lake at `root`; nothing is created before the first write."""
        self._is_folder = (folder := folder_of(root)) is not None
        self._blobs = open_blobs(root)
        self._base = str(folder or str(root).rstrip("/"))

    def path(self, name: str, branch: str, day: str, symbol: str | None = None) -> str:
        """Return the path of one part, whether it exists or not; a name that is no plain one is percent-encoded."""
        split = f"/symbol={path_step(symbol)}" if symbol else ""
        return f"{self._day(name, branch, day)}{split}/{PART}"

    def write(
        self,
        spec: TableSpec,
        branch: str,
        day: str,
        columns: Mapping[str, Array | Sequence[str]],
        symbol: str | None = None,
    ) -> Written:
        """Write one part atomically; an existing part is replaced.

        `columns` must be exactly those of `spec` (any order), equally long, and of its types.
        Raises `SchemaError` for another shape or type, `LakeError` when the place cannot be written.
        """
        arrays = _conform(spec, columns)
        for name in spec.silent(arrays):
            del arrays[name]
        rows = len(next(iter(arrays.values()))) if arrays else 0
        texts = [c.name for c in spec.columns if c.dtype == "text"]
        table = pa.table({name: _to_arrow(values) for name, values in arrays.items()})
        digest = content_hash(arrays | {name: hashed(table.column(name)) for name in texts})
        note = {
            "table": spec.name,
            "branch": branch,
            "day": day,
            "symbol": symbol,
            "rows": rows,
            "content_hash": digest,
        }
        table = table.replace_schema_metadata({META: json.dumps(note).encode()})
        path = self.path(spec.name, branch, day, symbol)
        try:
            self._blobs.put(self._key(path), _encoded(table, texts))
            if (identity := self._identity(path)) is not None:
                self._verified().add(identity)
        except OSError as problem:
            raise LakeError(
                f"{path} cannot be written: {problem}", "a writable lake", "disk full or rights"
            ) from problem
        return Written(path, rows, digest)

    def read(
        self,
        name: str,
        branch: str,
        day: str,
        symbol: str | None = None,
        columns: Sequence[str] | None = None,
        spec: TableSpec | None = None,
        where: str | None = None,
        within: tuple[str, int, int] | None = None,
    ) -> dict[str, Array]:
        """Read one part, all columns or only `columns`, as numpy arrays in file order (text as object arrays).

        With `where` only the rows in which that flag, one of the columns read, is set; with `within` (column, least,
        largest) those whose whole number, one of the columns read, lies there, and no group of rows without any. With
        `spec` the file's columns and types are verified against it, and a later column that is not stored is read as
        zeros. Raises `LakeError`
        for a missing, truncated or corrupt file and for one whose values are not those of its content hash,
        `SchemaError` for columns other than the specification's or the request's.
        """
        path = self.path(name, branch, day, symbol)
        with self._open(path) as part:
            schema = part.schema_arrow
            if spec is not None:
                _verify(spec, schema, path)
            absent = {c.name: c.dtype for c in spec.columns if c.name not in schema.names} if spec else {}
            asked = list((spec.names if spec else schema.names) if columns is None else columns)
            wanted = list(dict.fromkeys(c for c in asked if c not in absent))  # one may be asked for twice
            missing = [c for c in wanted if c not in schema.names]
            if missing:
                raise SchemaError(f"{path} has no column {missing[0]!r}", f"one of {', '.join(schema.names)}")
            try:
                table = self._believed(path, part, wanted, within)
                table = table if where is None else table.filter(table.column(where))
                table = table if within is None else table.filter(inside(table.column(within[0]), *within[1:]))
                zeros = {name: np.zeros(len(table), dtype) for name, dtype in absent.items()}
                return {c: zeros[c] if c in zeros else to_numpy(table.column(c)) for c in asked}
            except DAMAGE as problem:
                raise _corrupt(path, problem) from problem

    def note(self, name: str, branch: str, day: str, symbol: str | None = None) -> dict[str, Any]:
        """Return the footer's note of one part: table, branch, day, symbol, rows, content_hash."""
        path = self.path(name, branch, day, symbol)
        with self._open(path, footer_only=True) as part:
            return _note(part.schema_arrow, path)

    def hash_of(self, name: str, branch: str, day: str, symbol: str | None = None) -> str:
        """Return the content hash recorded in the footer of one part."""
        return str(self.note(name, branch, day, symbol)["content_hash"])

    def verify(self, name: str, branch: str, day: str, symbol: str | None = None) -> str:
        """Recompute the content hash of one part from its rows; raises `LakeError` when it is not the recorded one."""
        path = self.path(name, branch, day, symbol)
        with self._open(path) as part:
            try:
                return _check(path, part, part.read())
            except DAMAGE as problem:
                raise _corrupt(path, problem) from problem

    def exists(self, name: str, branch: str, day: str, symbol: str | None = None) -> bool:
        """Tell whether a part is there."""
        return self._has(self.path(name, branch, day, symbol))

    def remove(self, name: str, branch: str, day: str, symbol: str | None = None) -> None:
        """Remove a part; one that is not there is no error."""
        self._blobs.remove(self._key(self.path(name, branch, day, symbol)))

    def written_s(self, name: str, branch: str, day: str) -> float:
        """Return when the newest file of a day was written, in seconds UTC; 0 where there is none."""
        return self._blobs.newest_s(self._key(self._day(name, branch, day)))

    def stored_bytes(self, names: Sequence[str], branch: str) -> int:
        """Return the size of all parts of some tables of a branch."""
        return sum(sum(self._parts(self._branch(name, branch)).values()) for name in names)

    def days(self, name: str, branch: str) -> list[str]:
        """Return the days of a table and branch that have at least one part, oldest first."""
        return self._names(self._branch(name, branch), "day=")

    def branches(self, name: str) -> list[str]:
        """Return the branches of a table that have at least one part, in alphabetical order."""
        return self._names(f"{self._base}/{path_step(name)}", "branch=")

    def symbols(self, name: str, branch: str, day: str) -> list[str]:
        """Return the symbols whose parts are there, in alphabetical order (empty for a table that is not split)."""
        return self._names(self._day(name, branch, day), "symbol=")

    def place(self) -> tuple[Any, str]:
        """Return pyarrow's file system of the lake, to read, and the path of the lake in it."""
        return (pafs.LocalFileSystem(), self._base) if self._is_folder else _filesystem(self._base)

    def write_document(self, name: str, branch: str, day: str, text: str) -> str:
        """Write a small text (a day's frozen tables, a report) atomically beside the parts; return its path."""
        path = f"{self._day(name, branch, day)}/{_DOCUMENT}"
        self._blobs.put(self._key(path), seal_text(text))
        return path

    def has_document(self, name: str, branch: str, day: str) -> bool:
        """Tell whether a text is there."""
        return self._has(f"{self._day(name, branch, day)}/{_DOCUMENT}")

    def read_document(self, name: str, branch: str, day: str) -> str:
        """Read a text written by `write_document`; raises `LakeError` when it is missing or damaged."""
        path = f"{self._day(name, branch, day)}/{_DOCUMENT}"
        try:
            return unseal_text(self._blobs.get(self._key(path)))
        except ValueError as problem:
            raise LakeError(f"{path} cannot be read: {problem}", "the text that was written", DAMAGED) from problem
        except FileNotFoundError as problem:
            raise LakeError(
                f"there is no {path}", "a document of that day", f"{name} was not made for {day}"
            ) from problem

    def _has(self, path: str) -> bool:
        return self._blobs.has(self._key(path))

    def _key(self, path: str) -> str:
        return path.removeprefix(f"{self._base}/")

    def _branch(self, name: str, branch: str) -> str:
        return f"{self._base}/{path_step(name)}/branch={path_step(branch)}"

    def _day(self, name: str, branch: str, day: str) -> str:
        return f"{self._branch(name, branch)}/day={path_step(day)}"

    def _believed(self, path: str, part: Any, wanted: list[str], within: tuple[str, int, int] | None) -> Any:
        """Return columns of a part whose values are those of its content hash; of a file known to be so, unread."""
        identity = self._identity(path)
        if identity is not None and identity in self._verified():
            return part.read_row_groups(groups_within(part, *within), wanted) if within else part.read(columns=wanted)
        table = part.read()
        _check(path, part, table)
        if identity is not None and identity == self._identity(path):
            self._verified().add(identity)
        return table.select(wanted)

    def _verified(self) -> Verified:
        return _verified_below(self._base)

    def _identity(self, path: str) -> Identity | None:
        """Return what the file at a path is now; None for a place that is no folder: there it is hashed every time."""
        return identity_of(path, footer_digest(path)) if self._is_folder else None

    def _names(self, folder: str, what: str) -> list[str]:
        """Return the names in the steps `what=` of the parts below a folder, in order."""
        steps = {step for path in self._parts(folder) for step in path.split("/") if step.startswith(what)}
        return sorted(name_of_step(step.removeprefix(what)) for step in steps)

    def _parts(self, folder: str) -> dict[str, int]:
        """Return the size of every part below a folder, by its path."""
        sizes = self._blobs.sizes(self._key(folder))
        return {key: size for key, size in sizes.items() if key.endswith(f"/{PART}")}

    def _open(self, path: str, footer_only: bool = False) -> Any:
        """Open a part; of one in a bucket, which is hashed whole at every read, the whole is got by one request."""
        try:
            source = path if self._is_folder else pa.BufferReader(self._bytes_of(path, footer_only))
            part = pq.ParquetFile(source, pre_buffer=False, page_checksum_verification=True)
            part.schema_arrow  # noqa: B018 -- a damaged schema is found here
            return part
        except FileNotFoundError as problem:
            raise LakeError(f"there is no {path}", "a part of the lake", _absent(path)) from problem
        except DAMAGE as problem:
            raise _corrupt(path, problem) from problem

    def _bytes_of(self, path: str, footer_only: bool) -> bytes:
        """Return a part of a bucket, or only an end of it that has the footer."""
        if footer_only:
            end = self._blobs.tail(self._key(path), FOOTER_BYTES)
            if int.from_bytes(end[-8:-4], "little") + 8 <= len(end):
                return end
        return self._blobs.get(self._key(path))


def _absent(path: str) -> str:
    """Return the likely cause of a part that is not there."""
    if any(f"/{name}/" in path for name in REMADE):
        day = next((step.removeprefix("day=") for step in path.split("/") if step.startswith("day=")), "DAY")
        return f"it was not made yet, or retention let it go: lotus tape rebuild --day {day}"
    return "that stage was not materialised for this day and branch"


@cache
def _verified_below(root: str) -> Verified:
    return Verified(Path(root) / _MARKS)


def _filesystem(url: str) -> tuple[Any, str]:
    try:
        filesystem, base = pafs.FileSystem.from_uri(url)
        return filesystem, base.rstrip("/")
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as problem:
        raise LakeError(f"{url} is no place that can be asked in SQL", "a folder, s3:// or gs://") from problem


def _encoded(table: Any, text: list[str]) -> memoryview:
    """Return a table as the bytes of a Parquet file; `text` are the columns that get a dictionary."""
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        compression_level=1,
        use_dictionary=text,
        column_encoding={f.name: "DELTA_BINARY_PACKED" for f in table.schema if pa.types.is_integer(f.type)},
        row_group_size=ROW_GROUP,
        write_page_checksum=True,
    )
    return memoryview(sink.getvalue()).cast("B")


def _conform(spec: TableSpec, columns: Mapping[str, Array | Sequence[str]]) -> dict[str, Array]:
    """Return the columns in the order of `spec`, with its exact types."""
    if set(columns) != set(spec.names):
        extra, lacking = sorted(set(columns) - set(spec.names)), sorted(set(spec.names) - set(columns))
        raise SchemaError(f"{spec.name} was given extra columns {extra} and lacks {lacking}", "the columns of its spec")
    arrays = {}
    for column in spec.columns:
        values, dtype = np.asarray(columns[column.name]), spec.numpy_dtype(column.name)
        if values.dtype != dtype:
            safe = values.dtype.kind in "OUT" if column.dtype == "text" else np.can_cast(values.dtype, dtype, "safe")
            if not safe and len(values):
                raise SchemaError(f"{spec.name}.{column.name} is {values.dtype}", column.dtype)
            values = values.astype(dtype)
        arrays[column.name] = values
    lengths = {len(v) for v in arrays.values()}
    if len(lengths) > 1 or any(v.ndim != 1 for v in arrays.values()):
        raise SchemaError(f"{spec.name} has columns of lengths {sorted(lengths)}", "one length, one dimension")
    return arrays


def _to_arrow(values: Array) -> Any:
    return pa.array(values, type=pa.string()) if values.dtype.kind == "O" else pa.array(values)


def _verify(spec: TableSpec, schema: Any, path: str) -> None:
    stored = [c for c in spec.columns if not c.later or c.name in schema.names]
    if list(schema.names) != [c.name for c in stored]:
        raise SchemaError(f"{path} has columns {schema.names}", f"{list(spec.names)}", "written by another version")
    for column in stored:
        stored_type = schema.field(column.name).type
        wanted = pa.string() if column.dtype == "text" else pa.from_numpy_dtype(spec.numpy_dtype(column.name))
        if stored_type != wanted:
            raise SchemaError(f"{path}: {column.name} is {stored_type}", str(wanted), "written by another version")


def _note(schema: Any, path: str) -> dict[str, Any]:
    raw = (schema.metadata or {}).get(META)
    if raw is None:
        raise LakeError(f"{path} has no Lotus footer", "a file written by the lake", f"another program, or {DAMAGED}")
    try:
        note: dict[str, Any] = read_json(raw)
        return note | {"content_hash": str(note["content_hash"])}
    except (ValueError, KeyError, TypeError) as problem:
        raise _corrupt(path, problem) from problem


def _check(path: str, part: Any, table: Any) -> str:
    """Return the content hash of a whole part; raises `LakeError` when it is not the one in the footer."""
    recorded = _note(part.schema_arrow, path)["content_hash"]
    digest = content_hash({name: hashed(table.column(name)) for name in table.column_names})
    if digest != recorded:
        raise LakeError(f"the values of {path} hash to {digest}", f"{recorded}, as in its footer", DAMAGED)
    return digest


def _corrupt(path: str, problem: BaseException) -> LakeError:
    reason = str(problem).split("\n")[0] or type(problem).__name__
    return LakeError(f"{path} cannot be read: {reason}", "a whole Parquet file", DAMAGED)
