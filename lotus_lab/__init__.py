"""Lotus in a notebook, in a bot, in a stack of one's own: the one public Python API. Everything else is private.

Nothing in it needs a database, a tape or a network, unless it is asked for one. Names are loaded at first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lotus_lab.example_events import example
    from lotus_lab.export.carried import or_refuse
    from lotus_lab.home import explain, sql
    from lotus_lab.learner import LessonLearner
    from lotus_lab.learning import learn
    from lotus_lab.logs.bots import import_log
    from lotus_lab.randomiser.randomiser import Randomiser, read_log
    from lotus_lab.report.learned import Report
    from lotus_lab.tapes.example import example_tape
    from lotus_lab.tapes.score import ScoredDays, score
    from lotus_lab.tapes.tape import RecordedTape, tape

__all__ = [
    "LessonLearner",
    "Randomiser",
    "RecordedTape",
    "Report",
    "ScoredDays",
    "example",
    "example_tape",
    "explain",
    "import_log",
    "learn",
    "or_refuse",
    "read_log",
    "score",
    "sql",
    "tape",
]

_PLACES = {
    "LessonLearner": "lotus_lab.learner",
    "example": "lotus_lab.example_events",
    "example_tape": "lotus_lab.tapes.example",
    "explain": "lotus_lab.home",
    "import_log": "lotus_lab.logs.bots",
    "learn": "lotus_lab.learning",
    "or_refuse": "lotus_lab.export.carried",
    "Randomiser": "lotus_lab.randomiser.randomiser",
    "read_log": "lotus_lab.randomiser.randomiser",
    "Report": "lotus_lab.report.learned",
    "score": "lotus_lab.tapes.score",
    "ScoredDays": "lotus_lab.tapes.score",
    "sql": "lotus_lab.home",
    "tape": "lotus_lab.tapes.tape",
    "RecordedTape": "lotus_lab.tapes.tape",
}


def __getattr__(name: str) -> object:
    """Return a public name from where it stands."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
