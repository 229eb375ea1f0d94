"""The daily brief once a run's last day is over: a document of `governance_day`, and a file.

The file is the page of `lotus brief --html` below `briefs` of the home, replaced whole; the newest `KEPT` days of a
branch stay. Presentation only: nothing of it is hashed, and a brief that cannot be made or written stops no nightly
run.
"""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Final

from lotus.errors import LotusError
from lotus.names import path_step
from lotus_assets.stages.context import StageResult
from lotus_assets.stages.governance.governance_day import NAME
from lotus_desk.watch.guards import guards_of
from lotus_store import files
from lotus_store.config import Settings
from lotus_store.facts.brief.day import brief_of
from lotus_store.facts.brief.page import html, markdown

KEPT: Final = 60
logger = logging.getLogger(__name__)


def with_brief(settings: Settings, result: StageResult) -> StageResult:
    """Return the result of the last stage of a day with its brief, any other result as it is."""
    if result.stage != NAME or result.failed_checks:
        return result
    try:
        brief = brief_of(settings, result.day, guards_of(settings.home), with_week=True)
    except LotusError as problem:
        logger.warning("no brief of %s: %s", result.day, problem)
        return result
    text = markdown(brief)
    try:
        write_page(settings, result.day, html(brief))
    except (LotusError, OSError) as problem:
        logger.warning("the brief of %s was not written: %s", result.day, problem)
    return replace(result, documents={**result.documents, "brief": text})


def write_page(settings: Settings, day: str, page: str) -> Path:
    """Write the page of a day and remove the oldest beyond `KEPT`; return its place."""
    folder = settings.home / "briefs" / path_step(settings.branch)
    files.write_bytes(folder / f"{day}.html", page.encode())
    for old in sorted(folder.glob("[0-9]*-[0-9][0-9]-[0-9][0-9].html"))[:-KEPT]:
        old.unlink(missing_ok=True)
    return folder / f"{day}.html"
