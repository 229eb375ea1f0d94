"""`lotus sql`: a question in SQL to the lake and the ledgers, bounded in time and memory, that can only read."""

import csv
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lotus.errors import LotusError, QueryError
from lotus_cli.look.sql_rows import as_lines, plain_rows, value_of
from lotus_cli.terminal.options import options_as
from lotus_cli.terminal.output import EXPLAINED_ERROR, emit
from lotus_cli.terminal.places import COUNT, Finite, at_branch, settings_of
from lotus_cli.terminal.tables import TableColumn, table, wide_option
from lotus_store.views.bounds import ENDED, Bounds, bounded_process, end_with

if TYPE_CHECKING:
    from lotus_store.views.session import Page, SqlAnswer, Views

SHOWN, IN_JSON = 100, 10_000


@dataclass(frozen=True, slots=True)
class SqlOptions:
    """What is asked, how much of the answer, in which form, and within which bounds."""

    query: str | None
    given: tuple[str, ...]
    order: tuple[str, ...]
    limit: int | None
    offset: int
    as_csv: bool
    parquet: Path | None
    seconds: float
    memory_mb: int
    wide: bool
    branch: str | None
    home: str | None
    as_json: bool


@click.command("sql")
@click.argument("query", required=False)
@click.option("--set", "given", multiple=True, metavar="NAME=VALUE", help="A value for $NAME; may be repeated.")
@click.option("--order", multiple=True, metavar="COLUMN", help="Order by a column, the highest first with - before it.")
@click.option("--limit", type=COUNT, help=f"At most so many rows ({SHOWN}; --json {IN_JSON}; files all).")
@click.option("--offset", type=click.IntRange(0), default=0, help="Leave out the first rows.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@click.option("--parquet", type=click.Path(dir_okay=False, path_type=Path), help="Write the rows into a Parquet file.")
@click.option("--seconds", type=Finite(0.1, 3600), default=10.0, show_default=True, help="Time limit.")
@click.option("--memory", "memory_mb", type=click.IntRange(64, 65536), default=1024, show_default=True, help="In MB.")
@wide_option
@at_branch
@options_as(SqlOptions)
def sql_command(options: SqlOptions) -> None:
    """Answer one SELECT of DuckDB's SQL over the lake (signal_events) and the ledgers (sig.lessons, tr.tr_plans).

    Without QUERY it is read from standard input; where that is empty, every table is listed with its columns. $branch
    stands for the branch, other names for what --set gives.
    """
    from lotus_store.views.session import Page, Views

    _check(options)
    settings = settings_of(options.home, branch=options.branch)
    if options.parquet is not None:
        _check_target(options.parquet, settings.home)
    text = options.query or ("" if sys.stdin.isatty() else sys.stdin.read())
    bounds = Bounds(seconds=options.seconds, memory_mb=options.memory_mb)
    with Views(settings, bounds) as views, bounded_process(bounds, partial(_end, bounds.seconds)):
        if not text.strip():
            _list(views, options)
            return
        parameters = {"branch": settings.branch} | dict(map(_parameter, options.given))
        page = Page(options.order, options.limit or _limit(options), options.offset)
        _answer(views.ask(text, parameters, page), options, page)


def _check(options: SqlOptions) -> None:
    if options.as_csv + options.as_json + (options.parquet is not None) > 1:
        raise click.UsageError("found more than one of --json, --csv and --parquet; expected one form of the answer")


def _check_target(path: Path, home: Path) -> None:
    """Raise `QueryError` for a file that an answer may not replace: one of the home, or of another kind."""
    if path.resolve().is_relative_to(home.resolve()):
        raise QueryError(f"{path} lies in the home", "a file elsewhere", "a question changes nothing of what is stored")
    if path.is_file() and path.stat().st_size:
        with path.open("rb") as file:
            if file.read(4) != b"PAR1":
                raise QueryError(f"{path} is there, and no Parquet file", "a new name", "another file's name?")


def _limit(options: SqlOptions) -> int | None:
    if options.as_csv or options.parquet is not None:
        return None
    return IN_JSON if options.as_json else SHOWN


def _parameter(text: str) -> tuple[str, str | int | float]:
    name, separator, value = text.partition("=")
    if not separator or not name.isidentifier():
        raise click.UsageError(f"--set: found {text!r}; expected NAME=VALUE")
    return name, value_of(value)


def _list(views: "Views", options: SqlOptions) -> None:
    """Print every table with its columns."""
    found: list[dict[str, object]] = []
    for name in views.tables():
        try:
            columns = [{"name": field.name, "type": str(field.type)} for field in views.schema(name)]
            found.append({"table": str(name), "columns": columns})
        except LotusError as error:
            found.append({"table": str(name), "columns": [], "error": str(error)})
    rows = [
        (str(entry["table"]), str(entry.get("error") or ", ".join(column["name"] for column in entry["columns"])))  # type: ignore[attr-defined]
        for entry in found
    ]
    text = table((TableColumn("table"), TableColumn("columns", least=40)), rows, options.wide)
    emit({"tables": found}, options.as_json, text + "\nDESCRIBE table: the types of its columns")


def _answer(answer: "SqlAnswer", options: SqlOptions, page: "Page") -> None:
    """Print the rows, or write them into a file."""
    if options.parquet is not None:
        click.echo(f"{_write_parquet(answer, options.parquet):,} rows in {options.parquet}")
        return
    if options.as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(answer.schema.names)
        for batch in answer.batches():
            writer.writerows(plain_rows(batch))
        return
    rows = [row for batch in answer.batches() for row in plain_rows(batch)]
    columns = [{"name": field.name, "type": str(field.type)} for field in answer.schema]
    more = f"\nmore rows: --limit N, --offset {page.offset + len(rows)}, --csv, --parquet FILE" if answer.more else ""
    text = as_lines(answer.schema, rows, options.wide) + more
    emit({"columns": columns, "rows": rows, "more": answer.more}, options.as_json, text)


def _write_parquet(answer: "SqlAnswer", path: Path) -> int:
    """Write all rows into a file, atomically; return how many. Raises `QueryError` for columns of one name."""
    import pyarrow.parquet as pq

    from lotus_store import files

    names = answer.schema.names
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise QueryError(f"two columns are called {twice[0]}", "each column once", "a join; name one of them AS ...")
    count = 0
    with files.atomic(path.absolute()) as temporary, pq.ParquetWriter(temporary, answer.schema) as writer:
        for batch in answer.batches():
            writer.write_batch(batch)
            count += len(batch)
    return count


def _end(seconds: float) -> None:
    found, expected, cause = ENDED
    text = f"lotus: {QueryError(found.format(seconds=seconds), expected, cause)}\n"
    end_with(EXPLAINED_ERROR, text)
