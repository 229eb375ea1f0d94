"""A page with one subject: its place, the facts that are read for it, and the template that shows them.

The same facts are the answer of `/api/v1<place>`. A view whose subject is not there raises `LookupError`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lotus_console.access.sessions import Act
from lotus_console.reading import HomeReading
from lotus_console.tables import Table

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PageView:
    """One page. `place`: a path with {names}; `facts`: of the reading, the names and the request's parameters.

    `accepts`: the parameters that a request may give; `answer`: the type of the facts, for the API's description.
    """

    place: str
    label: str
    question: str
    facts: Callable[[HomeReading, Mapping[str, str]], Facts]
    template: str
    accepts: tuple[str, ...] = ()
    answer: Any = None


@dataclass(frozen=True, slots=True)
class Section:
    """One entry of the head's line: where it leads, the key after `g` that goes there, what belongs to it, its acts."""

    label: str
    place: str
    shortcut: str
    tables: tuple[Table, ...] = ()
    views: tuple[PageView, ...] = field(default=())
    acts: tuple[Act, ...] = ()
