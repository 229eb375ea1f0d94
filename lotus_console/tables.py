"""Tables: columns and a source, declared once; page, JSON, CSV, Parquet and the API's description are made of that.

What a question may ask of any table is here too: words to search for, filters, an order, a page. An order or a filter
that a table does not declare is refused, so that no text of a request becomes SQL.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from psycopg import sql

from lotus.errors import ConfigError
from lotus_console.reading import HomeReading, named

PAGE, LARGEST_PAGE, DEEPEST = 50, 500, 10_000
EXPORTED = 100_000  # rows of a download at most
LONGEST = 200  # characters of a search or filter


class ValueKind(StrEnum):
    """How a value is shown and typed."""

    TEXT = "text"
    CODE = "code"  # a name or hash, in letters of equal width
    COUNT = "count"
    NUMBER = "number"
    PRICE = "price"  # with every digit
    BPS = "bps"  # signed, two decimals
    USD = "usd"
    SHARE = "share"  # 0 to 1, as percent
    TIME = "time"  # ms UTC
    DAY = "day"
    FLAG = "flag"
    LEVEL = "level"  # of trust, 0 to 3
    STATE = "state"
    LIFE = "life"  # 0 to 1, as a bar

    @property
    def is_number(self) -> bool:
        """Whether values are read from the right."""
        return self in ("count", "number", "price", "bps", "usd", "share")


@dataclass(frozen=True, slots=True)
class ShownColumn:
    """One column. `link`: an address with {names} of the row; `span`: names of the ends of its 95 % interval."""

    name: str
    label: str
    kind: ValueKind = ValueKind.TEXT
    unit: str = ""
    about: str = ""
    link: str = ""
    span: tuple[str, str] | None = None
    is_shown: bool = True
    is_ordered: bool = False
    is_wide: bool = False  # a sentence
    below: str = ""  # name of a column that is shown under this one


@dataclass(frozen=True, slots=True)
class Filter:
    """One thing that a table can be narrowed to; without choices any text of its column."""

    name: str
    label: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a table. `order` is a column's name, `offset` and `limit` count rows."""

    search: str = ""
    filters: Mapping[str, str] = field(default_factory=dict)
    order: str = ""
    is_descending: bool = False
    offset: int = 0
    limit: int = PAGE


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows by column name, and whether there are more; `title` is the sentence that answers the page's question.

    `note` is a sentence that belongs beside it.
    """

    rows: list[dict[str, Any]]
    has_more: bool
    title: str = ""
    note: str = ""


Source = Callable[[HomeReading, Question], Answer]


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the console. `name` is its place: `/<name>`, `/api/v1/<name>`, `/<name>.csv`."""

    name: str
    label: str
    question: str  # that it answers
    columns: tuple[ShownColumn, ...]
    source: Source
    filters: tuple[Filter, ...] = ()
    is_searched: bool = False
    empty: str = "nothing yet: `lotus backfill` makes the first days"
    links: tuple[tuple[str, str], ...] = ()  # label and place of pages beside it

    @property
    def place(self) -> str:
        """Where its page is."""
        return f"/{self.name}"

    def asked(self, given: Mapping[str, str]) -> Question:
        """Return the question of a request's parameters.

        Raises `ConfigError` for a parameter, filter, order or page that the table does not have.
        """
        filters = {name: value[:LONGEST] for name, value in given.items() if value and name in self._filters}
        for name, value in filters.items():
            choices = self._filters[name].choices
            if choices and value not in choices:
                raise ConfigError(f"{name} is {value[:40]!r}", f"one of {', '.join(choices)}")
        accepted = {"search", "order", "page", "limit", *self._filters}
        strange = sorted(set(given) - accepted)
        if strange:
            raise ConfigError(f"{self.name} has no {strange[0][:40]!r}", f"one of {', '.join(sorted(accepted))}")
        order = given.get("order", "")
        orders = {column.name for column in self.columns if column.is_ordered}
        if order and order.removeprefix("-") not in orders:
            raise ConfigError(f"order is {order[:40]!r}", f"one of {', '.join(sorted(orders)) or 'none'}")
        limit = _whole(given, "limit", PAGE, LARGEST_PAGE)
        offset = (_whole(given, "page", 1, DEEPEST) - 1) * limit
        if offset > DEEPEST:
            raise ConfigError(f"row {offset:,}", f"at most row {DEEPEST:,}", "narrow the question, or download it")
        return Question(
            search=given.get("search", "")[:LONGEST] if self.is_searched else "",
            filters=filters,
            order=order.removeprefix("-"),
            is_descending=order.startswith("-"),
            offset=offset,
            limit=limit,
        )

    @property
    def _filters(self) -> dict[str, Filter]:
        return {item.name: item for item in self.filters}


def _whole(given: Mapping[str, str], name: str, default: int, largest: int) -> int:
    text = given.get(name, "") or str(default)
    if not (text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= largest):
        raise ConfigError(f"{name} is {text[:20]!r}", f"a whole number from 1 to {largest:,}")
    return int(text)


def selected(
    reading: HomeReading, module: str, name: str, question: Question, default: str, **given: Any
) -> tuple[list[dict[str, Any]], bool]:
    """Return the rows of a named query for a question, and whether there are more.

    The query's own columns are filtered by equality and ordered by the question's column, then as `default` says; a
    query that searches reads %(search)s itself, "" for none.
    """
    inner = sql.SQL(named(module, name).decode())
    tests = [sql.SQL("{} = {}").format(sql.Identifier(key), sql.Placeholder(f"is {key}")) for key in question.filters]
    where = sql.SQL(" WHERE {}").format(sql.SQL(" AND ").join(tests)) if tests else sql.SQL("")
    ordered: sql.SQL | sql.Composed = sql.SQL(default)
    if question.order:
        way = sql.SQL("DESC NULLS LAST" if question.is_descending else "ASC NULLS LAST")
        ordered = sql.SQL("{} {}, ").format(sql.Identifier(question.order), way) + ordered
    text = sql.SQL("SELECT * FROM ({}) AS found{} ORDER BY {} LIMIT %(limit)s OFFSET %(offset)s")
    wanted = {f"is {key}": value for key, value in question.filters.items()}
    more = {**wanted, "limit": question.limit + 1, "offset": question.offset, "search": question.search, **given}
    rows = reading.composed(module, text.format(inner, where, ordered), more)
    return rows[: question.limit], len(rows) > question.limit


def of_list(rows: list[dict[str, Any]], question: Question, title: str) -> Answer:
    """Return the page of a question; rows without the value that it orders by come last."""
    found = [row for row in rows if all(str(row.get(name)) == value for name, value in question.filters.items())]
    if question.order:
        there = [row for row in found if row[question.order] is not None]
        there.sort(key=lambda row: row[question.order], reverse=question.is_descending)
        found = there + [row for row in found if row[question.order] is None]
    end = question.offset + question.limit
    return Answer(found[question.offset : end], len(found) > end, title)
