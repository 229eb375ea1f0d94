"""Names that somebody outside chose, put aside while a model writes: coins are A1, A2, …, the detector of a lesson D1.

A venue names its coins, and whoever wrote a detector named it. Neither reaches a prompt; in a sentence that was checked
the names are put back. In the literature: pseudonymisation.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from lotus.learning.lesson import Lesson
from lotus.manifest import Asset
from lotus.priors.asset_context import MAX_OWN_GROUPS, words_of
from lotus.priors.segment_context import SEGMENT_WORDS
from lotus.sentences.shown_facts import ShownFacts, facts_of_lesson

DETECTOR: Final = "D1"
_ALIAS: Final = re.compile(r"\b(A[1-9][0-9]*|D1)\b")


def nameless_facts(lesson: Lesson, coins: int, has_segments: bool = False) -> ShownFacts:
    """Return what is shown of a lesson over so many coins, or over segments, without a name that somebody chose."""
    words = SEGMENT_WORDS if has_segments else words_of([Asset(f"A{k}", 0) for k in range(1, coins + 1)])
    return facts_of_lesson(replace(lesson, detector_id=DETECTOR), words)


def with_names(text: str, lesson: Lesson, coins: Sequence[str]) -> str:
    """Return a checked sentence with the names put back.

    >>> _put_back("D1 pays more on A2.", {"D1": "calm_lean", "A2": "ETH"})
    'calm_lean pays more on ETH.'
    """
    own = coins if len(coins) <= MAX_OWN_GROUPS else ()
    return _put_back(text, {DETECTOR: lesson.detector_id, **{f"A{k}": name for k, name in enumerate(own, 1)}})


def _put_back(text: str, names: dict[str, str]) -> str:
    return _ALIAS.sub(lambda found: names.get(found[1], found[1]), text)
