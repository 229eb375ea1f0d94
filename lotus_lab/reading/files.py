"""Files of events: which there are, what columns they have, and their columns one at a time.

A CSV file is first written, in blocks and as text, into a Parquet file of a scratch folder; so both kinds are read
column by column and a large file is never in memory whole. What a cell must be is `cells`; what the values must
fulfil is `lotus.own_signals.checks`.
"""

import csv
import gzip
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from lotus.errors import SchemaError
from lotus.own_signals.table import FileRows, cell_error
from lotus.progress.steps import Steps, untold
from lotus_lab.reading.cells import Piece, shortened, typed_column
from lotus_lab.reading.columns import checked_names, used

SUFFIXES = (".csv", ".csv.gz", ".parquet", ".pq")
_NULLS = ["", "null", "NULL", "NaN", "nan", "NA", "N/A", "None"]
_BLOCK_BYTES, _BATCH_ROWS = 2**24, 2**18
_FEW_NAMES = ("asset", "detector_id", "horizon_s", "published")


def read_folder(
    folder: Path, scratch: Path, columns: Mapping[str, str], progress: Steps = untold
) -> tuple[list[FileRows], list[str]]:
    """Return every CSV and Parquet file below a folder, or the one file that `folder` is, and the unused columns.

    `columns` holds names of the files by the names of the format, for those that differ. Names of files that begin with
    a dot are passed over. `scratch` must outlive what is returned: columns are read when asked for.
    """
    if not folder.exists():
        raise SchemaError(f"{folder} is not there", "a file or a folder of events", "misspelled?")
    if folder.is_file():
        folder, paths = folder.parent, [folder]
    else:
        paths = sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))
    wanted = [p for p in paths if p.name.lower().endswith(SUFFIXES)]
    if not wanted:
        held = ", ".join(p.name for p in paths[:3])
        found = f"no file in {folder} to be read" + (f" (there are {held})" if held else "")
        raise SchemaError(found, f"one or more of {', '.join('*' + s for s in SUFFIXES)}")
    files, unused = [], set[str]()
    sizes = [path.stat().st_size / 2**20 for path in wanted]
    for number, path in enumerate(wanted):
        progress("megabytes of files read", sum(sizes[:number]), sum(sizes), path.name)
        name = path.relative_to(folder).as_posix()
        store = _stored(path, name, scratch / f"{number}.parquet", columns)
        if not store.rows:
            raise SchemaError(f"{name} has no row", "one row for every window, published or not", "only a header")
        unused |= {c for c in store.names if not used(c)}
        files.append(FileRows(name, store.rows, store))
    return files, sorted(unused)


@dataclass(frozen=True, slots=True)
class Stored(Mapping[str, Any]):
    """The used columns of one file, read from Parquet and typed when asked for; `names`: theirs by the format's."""

    file: str
    path: Path
    rows: int
    names: Mapping[str, str]

    def __getitem__(self, name: str) -> Any:
        """Return a column as `FileRows` holds it; raises `SchemaError` with row and cause for a wrong cell."""
        if name not in self.names:
            raise KeyError(name)
        out = typed_column(self.file, name, lambda: self._pieces(name))
        pa.default_memory_pool().release_unused()
        return out

    def _pieces(self, name: str) -> Iterator[Piece]:
        first = 0
        try:
            with pq.ParquetFile(self.path, memory_map=False) as source:
                for batch in source.iter_batches(_BATCH_ROWS, columns=[self.names[name]]):
                    yield first, batch.column(0)
                    first += batch.num_rows
        except (pa.ArrowInvalid, OSError) as error:
            raise _unreadable(self.file, error) from None

    def __contains__(self, name: object) -> bool:
        """Whether the file has the column; reads nothing."""
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        """Yield the names of columns that are used."""
        return (name for name in self.names if used(name))

    def __len__(self) -> int:
        """Return the number of columns that are used."""
        return sum(used(name) for name in self.names)


def _stored(path: Path, name: str, target: Path, columns: Mapping[str, str]) -> Stored:
    try:
        if not path.name.lower().endswith((".parquet", ".pq")):
            _stage(path, name, target, columns)
            path = target
        with pq.ParquetFile(path) as source:
            return Stored(name, path, source.metadata.num_rows, checked_names(name, source.schema_arrow.names, columns))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeDecodeError, OSError, EOFError, zlib.error) as error:
        raise _unreadable(name, error) from None


def _unreadable(name: str, error: Exception) -> SchemaError:
    text = shortened(" ".join(str(error).split()), 120)
    return SchemaError(f"{name} cannot be read: {text}", "a whole CSV or Parquet file", "cut short, or no such file?")


def _stage(path: Path, name: str, target: Path, columns: Mapping[str, str]) -> None:
    """Write a CSV file as Parquet, every cell as text; raises `SchemaError` for what is no table."""
    _check_kind(path, name)
    names = _header(path, name)
    checked = checked_names(name, names, columns)
    options = pacsv.ConvertOptions(
        column_types={c: pa.string() for c in names}, null_values=_NULLS, strings_can_be_null=True
    )
    few, first = [checked[c] for c in _FEW_NAMES], 0
    schema = pa.schema([(c, pa.string()) for c in names])
    parsed = pacsv.ReadOptions(block_size=_BLOCK_BYTES, column_names=names, skip_rows=1)
    try:
        with pq.ParquetWriter(target, schema, use_dictionary=few, write_statistics=False) as writer:
            if not _has_rows(path):
                return
            source = pa.input_stream(path, compression="gzip" if _packed(path) else None)
            with source, pacsv.open_csv(source, read_options=parsed, convert_options=options) as stream:
                for batch in stream:
                    _check_lines(name, batch, first)
                    writer.write_batch(batch)
                    first += batch.num_rows
    except pa.ArrowInvalid as error:
        raise _why(path, name, len(names)) or error from None


def _check_kind(path: Path, name: str) -> None:
    with _opened(path) as source:
        begin = source.read(4)
    if not begin.strip():
        raise SchemaError(f"{name} is empty", "a header and one row for every window, published or not")
    if begin[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise SchemaError(f"{name} is UTF-16", "UTF-8 text", "a spreadsheet's 'Unicode text'? save it as CSV UTF-8")
    if begin[:4] in (b"PK\x03\x04", b"PAR1"):
        raise SchemaError(f"{name} is no text but a packed file", "CSV text", "an .xlsx or Parquet file renamed?")


def _header(path: Path, name: str) -> list[str]:
    with _opened(path) as source:
        line = source.readline()
    try:
        return next(csv.reader([line.decode("utf-8-sig").rstrip("\r\n")]), [])
    except UnicodeDecodeError:
        raise SchemaError(f"the header of {name} is not UTF-8", "UTF-8 text", "written in another encoding?") from None


def _has_rows(path: Path) -> bool:
    with _opened(path) as source:
        source.readline()
        return any(line.strip() for line in source)


def _opened(path: Path) -> Any:
    return gzip.open(path, "rb") if _packed(path) else path.open("rb")


def _packed(path: Path) -> bool:
    return path.name.lower().endswith(".gz")


def _check_lines(file: str, batch: pa.RecordBatch, first: int) -> None:
    """Refuse a cell with a line break: a quote that is never closed would swallow rows in silence."""
    for name, values in zip(batch.schema.names, batch.columns, strict=True):
        broken = pc.index(pc.fill_null(pc.match_substring(values, "\n"), False), True).as_py()
        if broken >= 0:
            found = f"a line break inside {shortened(repr(values[broken].as_py()))}"
            raise cell_error(file, name, first + broken + 1, found, "one line for each row", "a quote not closed?")


def _why(path: Path, name: str, width: int) -> SchemaError | None:
    """Return the error that names the first row which is no row of the table, None when every row is one."""
    with _opened(path) as source:
        lines = (line.decode("utf-8-sig" if not number else "utf-8") for number, line in enumerate(source))
        row = -1
        try:
            for row, cells in enumerate((c for c in csv.reader(lines) if c), 0):
                if len(cells) != width:
                    found = f"{name}, row {row}: {len(cells)} cells"
                    more = "a comma inside a number or text (quote it), a row cut short, or a quote not closed?"
                    return SchemaError(found, f"{width}, as in the header", more)
        except UnicodeDecodeError as error:
            found = f"{name}, row {row + 1}: byte {error.object[error.start]:#04x} is not UTF-8"
            return SchemaError(found, "UTF-8 text", "written in another encoding, such as Latin-1?")
        except csv.Error:
            return SchemaError(
                f"{name}, row {row + 1}: a cell without an end", "one line for each row", "a quote not closed?"
            )
        except (OSError, EOFError):
            return None
    return None
