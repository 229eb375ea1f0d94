"""The daily brief as a document of `active_priors`, once the beliefs of a run's last day are committed.

Presentation only: nothing of it is stored or hashed, and a brief that cannot be made stops no nightly run.
"""

import logging
from dataclasses import replace

from lotus.errors import LotusError
from lotus_assets.stages.chain import LAST_STAGE
from lotus_assets.stages.context import StageResult
from lotus_desk.safety.kill_switch import word_of
from lotus_store.config import Settings
from lotus_store.facts.brief import brief_of
from lotus_store.facts.brief_page import markdown

logger = logging.getLogger(__name__)


def with_brief(settings: Settings, result: StageResult) -> StageResult:
    """Return the result of the last stage of a day with its brief, any other result as it is."""
    if result.stage != LAST_STAGE or result.failed_checks:
        return result
    try:
        text = markdown(brief_of(settings, result.day, word_of(settings.home)))
    except LotusError as problem:
        logger.warning("no brief of %s: %s", result.day, problem)
        return result
    return replace(result, documents={**result.documents, "brief": text})
