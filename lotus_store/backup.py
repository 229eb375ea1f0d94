"""Backup and restore of the ledgers: one file with a copy of every table, its hash and the schema versions.

The file is a tar in zstd: `<database>/<table>` in COPY's text form, then `manifest.json`. Each database is copied from
one snapshot. A restore goes into empty ledgers of the same schema version only, into each whole or not at all;
one that was interrupted can be run again. What came out is compared as a set of rows: the server stores rows of very
different lengths in another order than they came. Dagster's storage, the lake, tapes and keys are not ledgers.
"""

import hashlib
import io
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import msgspec
import psycopg
import zstandard
from psycopg import sql

from lotus.errors import LedgerError
from lotus.json_text import MAX_TEXT_BYTES
from lotus_store.config import Settings
from lotus_store.databases import Connection, Databases
from lotus_store.files import atomic
from lotus_store.manifests.model import load_manifest
from lotus_store.postgres.migrations import LOTUS_DATABASES, check
from lotus_store.postgres.queries import query

FORMAT = "lotus-backup-1"
SEAL_HEAD = b"\x50\x2a\x4d\x18" + (64).to_bytes(4, "little")  # a frame that zstd skips: 64 bytes follow
SEAL_BYTES = len(SEAL_HEAD) + 64  # then the hexadecimal sha256 of all before it
MANIFEST = "manifest.json"
SPOOL_BYTES = 1 << 26
NO_ROWS = (0, 0)


class TableDigest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rows of one table and the SHA-256 of their copy in stored order."""

    rows: int
    sha256: str


class BackupContents(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a backup holds: schema version of each database, and its tables."""

    format: str
    versions: dict[str, int]
    tables: dict[str, dict[str, TableDigest]]


def backup(settings: Settings, path: Path) -> dict[str, int]:
    """Write all ledgers to `path` atomically; return the number of rows per database.

    Raises `LedgerError` when a ledger is not the expected one.
    """
    tables: dict[str, dict[str, TableDigest]] = {}
    with Databases(settings) as databases, atomic(path) as temporary, _sealed(temporary), _writer(temporary) as archive:
        versions = check(databases)
        for name in LOTUS_DATABASES:
            with databases.owner(name) as connection:
                connection.execute(query("common", "export_snapshot"))
                tables[name] = {
                    table: _export(connection, archive, f"{name}/{table}", table, columns)
                    for table, columns in _tables(connection)
                }
        manifest = BackupContents(format=FORMAT, versions=versions, tables=tables)
        _add(archive, MANIFEST, io.BytesIO(msgspec.json.encode(manifest, order="deterministic")))
    return _rows(manifest)


def restore(settings: Settings, path: Path) -> dict[str, int]:
    """Read all ledgers from `path` into empty ones; return the number of rows per database.

    Raises `LedgerError` for a file that is no whole backup, another schema version, or a ledger that has other rows.
    """
    manifest = _manifest(path)
    with Databases(settings) as databases:
        versions = check(databases)
        if versions != manifest.versions:
            cause = "the backup belongs to another version of Lotus"
            raise LedgerError(f"{path} has schema versions {manifest.versions}", f"{versions}", cause)
        for name in LOTUS_DATABASES:
            with databases.owner(name) as connection:
                _restore_one(connection, path, name, manifest.tables[name])
    return _rows(manifest)


def _restore_one(connection: Connection, path: Path, name: str, wanted: dict[str, TableDigest]) -> None:
    tables = dict(_tables(connection))
    restored = {table: row_set(_lines(connection, table, columns)) for table, columns in tables.items()}
    with tempfile.TemporaryDirectory() as folder:
        _unpack(path, name, Path(folder))
        described = {}
        for table in tables:
            with (Path(folder) / table).open("rb") as source:
                described[table] = row_set(source)
        if restored == described:
            return
        filled = [table for table, rows in restored.items() if rows != NO_ROWS]
        if filled:
            cause = "restore goes into a new home only"
            raise LedgerError(f"database {name} has rows in {', '.join(filled[:3])}", "an empty ledger", cause)
        for table, columns in tables.items():
            with (Path(folder) / table).open("rb") as source:
                if load_manifest(name).tables[table].partition_by:
                    _make_partitions(connection, columns, source)
                _import(connection, table, columns, source)
    for table, columns in tables.items():
        if row_set(_lines(connection, table, columns)) != described[table]:
            raise LedgerError(f"{name}.{table} came out of {path} altered", f"{wanted[table]}", "a damaged backup")
    for identity in connection.execute(query("common", "identity_columns")).fetchall():
        text = sql.SQL("SELECT setval({}, COALESCE(max({}), 0) + 1, false) FROM {}")
        table, column, sequence = (str(word) for word in identity)
        connection.execute(text.format(sql.Literal(sequence), sql.Identifier(column), sql.Identifier(table)))


def _tables(connection: Connection) -> list[tuple[str, str]]:
    """Return (table, its stored columns) so that what is referred to comes first."""
    return [(str(a), str(b)) for a, b in connection.execute(query("common", "copied_tables")).fetchall()]


def _copy(table: str, columns: str, way: str) -> sql.Composed:
    source = "COPY {} ({}) {}" if way == "FROM STDIN" else "COPY (SELECT {1} FROM {0}) {2}"  # of partitions too
    return sql.SQL(source).format(sql.Identifier(table), sql.SQL(columns), sql.SQL(way))


def _export(connection: Connection, archive: tarfile.TarFile, member: str, table: str, columns: str) -> TableDigest:
    with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as spool:
        note = _describe(connection, table, columns, spool)
        spool.seek(0)
        _add(archive, member, spool)
    return note


def _describe(connection: Connection, table: str, columns: str, sink: IO[bytes]) -> TableDigest:
    """Return rows and SHA-256 of a table in stored order, writing its copy to `sink`."""
    digest, rows = hashlib.sha256(), 0
    for line in _lines(connection, table, columns):
        digest.update(line)
        rows += 1
        sink.write(line)
    return TableDigest(rows=rows, sha256=digest.hexdigest())


def _lines(connection: Connection, table: str, columns: str) -> Iterator[bytes]:
    """Yield the rows of a table in COPY's text form, which the server sends one by one."""
    with connection.cursor() as cursor, cursor.copy(_copy(table, columns, "TO STDOUT")) as copy:
        for block in copy:
            yield bytes(block)


def row_set(lines: Iterable[bytes]) -> tuple[int, int]:
    """Return number and sum of hashes (mod 2^256) of rows: equal for the same rows in any order.

    >>> row_set([b"a\\n", b"b\\n"]) == row_set([b"b\\n", b"a\\n"]) != row_set([b"a\\n", b"a\\n"])
    True
    """
    rows = total = 0
    for line in lines:
        rows += 1
        total += int.from_bytes(hashlib.sha256(line).digest())
    return rows, total % 2**256


def _make_partitions(connection: Connection, columns: str, source: IO[bytes]) -> None:
    """Make the partitions of all months that a copy of a table has, and go back to its beginning."""
    place = columns.split(", ").index("day")
    months = {line.split(b"\t", place + 1)[place][:7] for line in source}
    for month in sorted(months):
        connection.execute(query("sig", "make_partitions"), [f"{month.decode()}-01"])
    source.seek(0)


def _import(connection: Connection, table: str, columns: str, source: IO[bytes]) -> None:
    try:
        with connection.cursor() as cursor, cursor.copy(_copy(table, columns, "FROM STDIN")) as copy:
            while block := source.read(1 << 20):
                copy.write(block)
    except psycopg.Error as problem:
        raise LedgerError(
            f"{table} cannot be restored: {problem}", "rows of this schema", "a damaged backup"
        ) from problem


def _add(archive: tarfile.TarFile, name: str, content: IO[bytes]) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = content.seek(0, io.SEEK_END)
    content.seek(0)
    archive.addfile(entry, content)


@contextmanager
def _writer(path: Path) -> Iterator[tarfile.TarFile]:
    with (
        path.open("wb") as raw,
        zstandard.ZstdCompressor(level=6, write_checksum=True).stream_writer(raw, closefd=False) as packed,
        tarfile.open(fileobj=packed, mode="w|") as archive,
    ):
        yield archive


@contextmanager
def _sealed(path: Path) -> Iterator[None]:
    """Append the sha256 of everything before it, so that no altered bit goes unseen, not even an idle one."""
    yield
    with path.open("rb") as raw:
        seal = hashlib.file_digest(raw, "sha256").hexdigest()
    with path.open("ab") as raw:
        raw.write(SEAL_HEAD + seal.encode())


def _check_seal(path: Path) -> None:
    left = path.stat().st_size - SEAL_BYTES
    digest = hashlib.sha256()
    with path.open("rb") as raw:
        while left > 0 and (piece := raw.read(min(left, 1 << 20))):
            digest.update(piece)
            left -= len(piece)
        if raw.read() != SEAL_HEAD + digest.hexdigest().encode():
            raise ValueError("its bytes are not those that were sealed")


@contextmanager
def _reader(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        _check_seal(path)
        with (
            path.open("rb") as raw,
            zstandard.ZstdDecompressor().stream_reader(raw) as packed,
            tarfile.open(fileobj=packed, mode="r|") as archive,
        ):
            yield archive
            while packed.read(1 << 20):  # to the end: there the archive's own checksum is verified
                pass
    except (OSError, EOFError, ValueError, tarfile.TarError, zstandard.ZstdError) as problem:
        raise LedgerError(
            f"{path} cannot be read: {problem}", "a backup", "truncated, damaged or another file"
        ) from problem


def _manifest(path: Path) -> BackupContents:
    """Return the manifest after verifying that every table of it is there, unaltered."""
    hashes: dict[str, str] = {}
    manifest: BackupContents | None = None
    with _reader(path) as archive:
        for member in archive:
            content = archive.extractfile(member)
            raw = content.read(MAX_TEXT_BYTES) if content is not None and member.name == MANIFEST else b""
            if raw:
                manifest = _decoded(raw)
            elif content is not None:
                hashes[member.name] = hashlib.file_digest(cast(io.BufferedReader, content), "sha256").hexdigest()
    if manifest is None or manifest.format != FORMAT:
        raise LedgerError(f"{path} has no manifest", FORMAT, "the backup was interrupted or is another file")
    for name, tables in manifest.tables.items():
        for table, note in tables.items():
            if hashes.get(f"{name}/{table}") != note.sha256:
                raise LedgerError(f"{name}/{table} of {path} is missing or altered", note.sha256, "a damaged backup")
    return manifest


def _decoded(raw: bytes) -> BackupContents:
    try:
        return msgspec.json.decode(raw, type=BackupContents)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as problem:
        raise LedgerError(f"the manifest cannot be read: {problem}", FORMAT, "another file") from problem


def _unpack(path: Path, name: str, folder: Path) -> None:
    with _reader(path) as archive:
        for member in archive:
            database, _, table = member.name.partition("/")
            content = archive.extractfile(member) if database == name else None
            if content is not None and table.isidentifier():
                with (folder / table).open("wb") as out:
                    while block := content.read(1 << 20):
                        out.write(block)


def _rows(manifest: BackupContents) -> dict[str, int]:
    return {name: sum(note.rows for note in tables.values()) for name, tables in manifest.tables.items()}
