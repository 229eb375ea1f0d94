"""The port to a model: what may be asked (`Prompt`) and what came back (`ModelReply`), as values.

A prompt holds numbers and closed names alone: slots, columns, horizons, codes of refusals, each checked when the value
is made. No field takes a note, a hint, a message or a text of a venue: market data reaches no authority over the model.
The one text is the operator's own idea, and it is marked. Whoever opens a model stands outside this package.
In the literature: injection is prevented by the type of the query, not by filtering it (parameterised queries).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from lotus.coprocessor.model.window_facts import MOST_ROWS, HourFacts
from lotus.detectors.spec import DetectorSpec
from lotus.detectors.windows.row_spec import window_columns
from lotus.errors import ConfigError
from lotus.manifest import Manifest
from lotus.tape_machine.complexity import topological
from lotus.tape_machine.environment import frame_columns

HORIZONS_S: Final = (30, 300, 3600)
MOST_SPECS: Final = 8  # of a reply
REPLY_BYTES: Final = 64 * 1024
IDEA_CHARACTERS: Final = 600


class RefusalCode(StrEnum):
    """Why a reply, or a spec in it, was refused; these words alone come back into later prompts."""

    SIZE = "size"  # of the reply, or of a spec
    TOOLS = "tools"  # the reply calls tools; none were offered
    LENGTH = "length"  # the model stopped at its limit of tokens
    JSON = "json"
    FORM = "form"  # JSON of another form
    MANY = "many"  # more specs than were asked for
    SPEC = "spec"  # no spec of the closed language
    EXPRESSION = "expression"  # an expression in it cannot be read or has no meaning
    AUTHORITY = "authority"  # it claims a status, an entry or a trigger
    BOUNDS = "bounds"  # larger than what is searched
    NAME = "name"  # of a detector that exists
    WORDS = "words"  # an idea that is no plain sentence
    TWICE = "twice"  # the same detector again
    # candidates that were scored, by the check that failed
    MUTE = "mute"
    BAR = "bar"
    FOLDS = "folds"
    REDUNDANT = "redundant"
    STURDY = "sturdy"
    AUDITS = "audits"


@dataclass(frozen=True, slots=True)
class DiversityGap:
    """A column of the windows, a horizon in seconds, and how many detectors of that horizon read the column."""

    column: str
    horizon_s: int
    detectors: int

    def __post_init__(self) -> None:
        """Raise `ConfigError` for a name or horizon outside the closed sets."""
        if self.column not in window_columns() or self.horizon_s not in HORIZONS_S or type(self.detectors) is not int:
            raise ConfigError(f"a gap at {self.column!r}, {self.horizon_s!r} s", "a column of windows; 30, 300, 3600 s")


@dataclass(frozen=True, slots=True)
class RefusalCount:
    """How often earlier proposals were refused for one reason."""

    code: RefusalCode
    times: int

    def __post_init__(self) -> None:
        """Raise `ConfigError` for anything else than a code and a number."""
        if type(self.code) is not RefusalCode or type(self.times) is not int:
            raise ConfigError(f"a refusal {self.code!r}", f"one of {', '.join(RefusalCode)}")


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is asked: facts by asset and hour, gaps of the detectors there are, earlier refusals, how many specs.

    `turn` counts the prompts of a search from 1: one that came to nothing new is asked otherwise. `idea` is the
    operator's own sentence; it comes from a command line and from nowhere else.
    """

    facts: tuple[HourFacts, ...] = ()
    gaps: tuple[DiversityGap, ...] = ()
    refusals: tuple[RefusalCount, ...] = ()
    wanted: int = 4
    idea: str = ""
    turn: int = 1

    def __post_init__(self) -> None:
        """Raise `ConfigError` for a value of another type, too many rows, or an idea that is no plain sentence."""
        kinds = ((self.facts, HourFacts), (self.gaps, DiversityGap), (self.refusals, RefusalCount))
        for values, kind in kinds:
            if type(values) is not tuple or not all(type(value) is kind for value in values):
                raise ConfigError(f"a prompt with other things than {kind.__name__}", "closed values only")
            if len(values) > MOST_ROWS:
                raise ConfigError(f"a prompt with {len(values)} {kind.__name__}", f"at most {MOST_ROWS}")
        if type(self.wanted) is not int or not 1 <= self.wanted <= MOST_SPECS:
            raise ConfigError(f"{self.wanted!r} specs wanted", f"1 to {MOST_SPECS}")
        if type(self.turn) is not int or self.turn < 1:
            raise ConfigError(f"turn {self.turn!r} of a search", "a number from 1")
        if type(self.idea) is not str or len(self.idea) > IDEA_CHARACTERS or not self.idea.isprintable():
            raise ConfigError(f"an idea of {len(self.idea)} characters", f"one line, at most {IDEA_CHARACTERS}")


@dataclass(frozen=True, slots=True)
class ModelReply:
    """What a model answered: its text, the model as it names itself, whether it called tools, why it stopped."""

    content: str
    model: str
    tool_calls: bool = False
    finish: str = "stop"


class Port(Protocol):
    """Whoever completes a prompt; raises `ConfigError` for what was not set up, and no error of a network."""

    def complete(self, prompt: Prompt) -> ModelReply:
        """Return the reply to a prompt."""


def gaps_of(detectors: Sequence[DetectorSpec], manifest: Manifest, most: int = 24) -> tuple[DiversityGap, ...]:
    """Return the columns and horizons that the fewest detectors read, the least read first.

    Names, ideas and parameters of the detectors do not show: only columns of the closed table are counted.
    """
    frames, windows = frame_columns(), window_columns()
    names = {c.index: name for name, c in windows.items()} | {-1 - c.index: name for name, c in frames.items()}
    read: Counter[tuple[str, int]] = Counter()
    for spec in detectors:
        checked = spec.checked(manifest.kernel.cadence_ms, manifest.kernel.window_ms)
        indices = {int(node.params[0]) for node in topological(checked.whole) if node.op == "column"}
        read.update((name, spec.horizon_s) for name in {names[k] for k in indices if k in names})
    every = [DiversityGap(column, h, read[column, h]) for column in sorted(windows) for h in HORIZONS_S]
    at_all = Counter(column for column, _ in read)
    return tuple(sorted(every, key=lambda gap: (gap.detectors, at_all[gap.column]))[:most])
