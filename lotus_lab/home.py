"""A home of Lotus from a notebook: questions in SQL, and the way from a number back to raw frames. Both only read.

What `lotus sql` and `lotus explain` print, as data frames and objects.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lotus.errors import ConfigError
from lotus_lab.extras import require
from lotus_store.config import load_settings

if TYPE_CHECKING:
    import pandas as pd

    from lotus_store.facts.event import Story


def sql(question: str, parameters: Mapping[str, Any] | None = None, *, home: str | None = None) -> "pd.DataFrame":
    """Return the rows of one SELECT over the lake and the ledgers of a home (None: LOTUS_HOME, else `.lotus`).

    `parameters` are texts, numbers, flags or None for $names in the question. It runs in a process of its own, within
    the time and memory of `lotus sql`; raises `QueryError` beyond them and for what may not be asked.
    """
    require("lab", "lab.sql", "duckdb", "psycopg")
    from lotus_store.views.apart import Asker

    with Asker(load_settings(home)) as asker:
        frame: pd.DataFrame = asker.ask(question, parameters).table.to_pandas()
    return frame


def explain(name: str, *, home: str | None = None, branch: str | None = None, tape: str | None = None) -> "Story":
    """Return the story of an event, or of the event behind a fill, order or plan: steps, beliefs, outcome, frames.

    Raises `LedgerError` for an unknown name and `LakeError` when its day left the lake.
    """
    require("platform", "lab.explain", "psycopg")
    from lotus_store.databases import Databases
    from lotus_store.facts.event import story_of

    settings = load_settings(home, branch=branch, tape=tape)
    if not settings.home.is_dir():
        raise ConfigError(
            f"there is no home {settings.home}", "a home of Lotus", "home= or LOTUS_HOME points elsewhere"
        )
    with Databases(settings) as databases:
        return story_of(settings, databases, name)
