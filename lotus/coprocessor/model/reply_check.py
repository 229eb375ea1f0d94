"""A reply of a model checked: bounded, strict JSON, then each spec by the one reader of specs. Nothing executes.

What may be proposed is a signal. Status, entry and triggers are not a model's to claim; its size has bounds.
Every refusal has a code and, inside a spec, a place. In the literature: full recognition before processing (LangSec).
"""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from lotus.coprocessor.model.canonical_text import canonical_text
from lotus.coprocessor.model.port import HORIZONS_S, IDEA_CHARACTERS, MOST_SPECS, REPLY_BYTES, ModelReply, RefusalCode
from lotus.detectors.entry_style import EntryPlan
from lotus.detectors.spec import DetectorSpec, parse_spec
from lotus.errors import ConfigError, ExpressionError
from lotus.json_text import too_deep
from lotus.manifest import Manifest

MOST_DEPTH: Final = 20  # bounds that every shipped detector is within
MOST_NODES: Final = 64
MOST_PARAMS: Final = 6
MOST_WARM_UP_MS: Final = 7_200_000
WORDS: Final = 300  # characters of a refusal
_PLAIN_IDEA: Final = re.compile(rf"[\w .,;:'’()/%+*=\-–—?!]{{1,{IDEA_CHARACTERS}}}")


@dataclass(frozen=True, slots=True)
class SpecRefusal:
    """Why a reply (`spec` 0) or its n-th spec was refused: a code, a place (0: none), and words, on one line."""

    code: RefusalCode
    spec: int
    words: str
    line: int = 0
    column: int = 0

    @property
    def line_of_text(self) -> str:
        """The refusal as a line."""
        place = f", line {self.line}, column {self.column}" if self.line else ""
        return f"{f'spec {self.spec}' if self.spec else 'the answer'}{place}: {self.code.value}: {self.words}"


@dataclass(frozen=True, slots=True)
class ProposedSpec:
    """A spec that the language takes, with its canonical text: nothing else of what was answered goes on."""

    text: str
    spec: DetectorSpec


@dataclass(frozen=True, slots=True)
class CheckedReply:
    """What of a reply may go on, and what was refused."""

    specs: tuple[ProposedSpec, ...] = ()
    refusals: tuple[SpecRefusal, ...] = ()


class _Refused(Exception):
    def __init__(self, code: RefusalCode, words: str) -> None:
        super().__init__(words)
        self.code, self.words = code, words


def check_reply(reply: ModelReply, taken: Collection[str] = (), wanted: int = MOST_SPECS) -> CheckedReply:
    """Return the specs of a reply that the language takes, and every refusal.

    `taken` are detector_ids that exist: a proposal may not have the name of another. Raises nothing for any content.
    """
    try:
        texts = _texts(reply, wanted)
    except _Refused as refused:
        return CheckedReply(refusals=(_refusal(0, refused),))
    specs: list[ProposedSpec] = []
    refusals: list[SpecRefusal] = []
    names = set(taken)
    for n, text in enumerate(texts, 1):
        try:
            spec = _spec(text, f"spec {n}", names, {p.spec.spec_id for p in specs})
            specs.append(ProposedSpec(canonical_text(spec), spec))  # of the canonical text
            names.add(spec.detector_id)
        except _Refused as refused:
            refusals.append(_refusal(n, refused))
        except ExpressionError as error:
            words = f"{error.found}; expected: {error.expected}" if error.expected else error.found
            refusals.append(SpecRefusal(RefusalCode.EXPRESSION, n, _line(words), error.line, error.column))
        except ConfigError as error:
            refusals.append(SpecRefusal(RefusalCode.SPEC, n, _line(str(error))))
    return CheckedReply(tuple(specs), tuple(refusals))


def _texts(reply: ModelReply, wanted: int) -> list[str]:
    """Return the texts of a reply in its one form; raises `_Refused`."""
    if reply.tool_calls:
        raise _Refused(RefusalCode.TOOLS, "the answer calls tools, none were offered")
    try:
        raw = reply.content.encode()
    except UnicodeEncodeError:
        raise _Refused(RefusalCode.JSON, "half of a surrogate pair") from None
    if len(raw) > REPLY_BYTES:
        raise _Refused(RefusalCode.SIZE, f"{len(raw)} bytes; expected: at most {REPLY_BYTES}")
    if reply.finish == "length":
        raise _Refused(RefusalCode.LENGTH, "the answer was cut at its limit of tokens; expected: fewer specs")
    try:
        if too_deep(raw):
            raise _Refused(RefusalCode.JSON, "nested too deeply")
        value = json.loads(reply.content, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _Refused(RefusalCode.JSON, f"no strict JSON ({error})") from None
    if type(value) is not dict or set(value) != {"specs"} or type(value["specs"]) is not list:
        raise _Refused(RefusalCode.FORM, 'expected: {"specs": [texts]} and no other key')
    texts: list[str] = value["specs"]
    if not texts or not all(type(text) is str for text in texts):
        raise _Refused(RefusalCode.FORM, "expected: a list of texts, at least one")
    if len(texts) > min(wanted, MOST_SPECS):
        raise _Refused(RefusalCode.MANY, f"{len(texts)} specs; expected: at most {min(wanted, MOST_SPECS)}")
    return texts


def _spec(text: str, where: str, names: Collection[str], ids: Collection[str]) -> DetectorSpec:
    """Return a spec that may be proposed; raises `_Refused` and what `parse_spec` raises."""
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise _Refused(RefusalCode.SPEC, "half of a surrogate pair")
    spec = parse_spec(text, where)
    if spec.status != "experimental" or spec.entry != EntryPlan() or spec.triggers:
        raise _Refused(RefusalCode.AUTHORITY, "status, entry or triggers; expected: a signal alone")
    warm_up_ms = spec.checked(Manifest().kernel.cadence_ms, Manifest().kernel.window_ms).warm_up_ms
    sizes = (
        ("levels", spec.depth, MOST_DEPTH), ("nodes", spec.nodes, MOST_NODES),
        ("params", len(spec.params), MOST_PARAMS), ("ms of history", warm_up_ms, MOST_WARM_UP_MS),
    )  # fmt: skip
    for what, size, most in sizes:
        if size > most:
            raise _Refused(RefusalCode.BOUNDS, f"{size} {what}; expected: at most {most}")
    if spec.horizon_s not in HORIZONS_S:
        raise _Refused(RefusalCode.BOUNDS, f"a horizon of {spec.horizon_s} s; expected: 30s, 5m or 1h")
    if not _PLAIN_IDEA.fullmatch(spec.idea) or "//" in spec.idea:
        raise _Refused(RefusalCode.WORDS, f"an idea that is no plain sentence of at most {IDEA_CHARACTERS} characters")
    if spec.spec_id in ids:
        raise _Refused(RefusalCode.TWICE, "the same detector as one before")
    if spec.detector_id in names:
        raise _Refused(RefusalCode.NAME, "the name of another detector")
    return parse_spec(canonical_text(spec), where)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a key twice")
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _refusal(spec: int, refused: _Refused) -> SpecRefusal:
    return SpecRefusal(refused.code, spec, _line(refused.words))


def _line(words: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in words)[:WORDS]
