"""A version that is not in force has a cause, read from the newest answer to its patch."""

from typing import Any

import pytest

from lotus.modules.messages.beliefs import PriorPatchApplied
from lotus.priors.types import priors_version
from lotus_modules.priors.hand_over import _cause

VERSION = priors_version("main", 5, ())


def answer(**changes: Any) -> PriorPatchApplied:
    values = {
        "branch": "main", "day": "2025-01-01", "priors_ver": VERSION.priors_ver, "effective_from_ms": 5,
        "applied": False, "reason": "late", "event_time_ms": 7,
    }  # fmt: skip
    return PriorPatchApplied(**values | changes)


@pytest.mark.parametrize(
    ("answered", "cause"),
    [
        ([answer()], "too late (event time 7)"),
        ([answer(reason="parent"), answer()], "does not follow"),
        ([answer(priors_ver="0" * 32)], "dead letter"),
        ([], "dead letter"),
    ],
)
def test_the_newest_answer_to_the_patch_names_the_cause(answered: list[PriorPatchApplied], cause: str) -> None:
    assert cause in _cause(answered, VERSION)
