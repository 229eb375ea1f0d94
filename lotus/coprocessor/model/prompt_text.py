"""A prompt as the messages that are sent: the language and the columns out of their own tables, then numbers.

Every byte is of this file, of the tables of the language, a number, or the operator's idea. The same prompt gives the
same bytes.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from lotus.coprocessor.genome import MAX_DEPTH, MAX_NODES, MAX_PARAMS
from lotus.coprocessor.model.port import MOST_SPECS, Prompt
from lotus.coprocessor.model.reply_check import SpecRefusal
from lotus.coprocessor.model.window_facts import SLOTS, HourFacts
from lotus.detectors.windows.row_spec import window_columns
from lotus.tape_machine.transforms import OPERATORS, PREFIXES, TRANSFORMS, Operator, Transform

SHOWN_REFUSALS: Final = 16
EXAMPLE: Final = """\
detector_id: calm_lean
family: calm_lean
version: 1
idea: A book that leans for a minute while the spread is calm is followed.
horizon: 30s
band: 20s..160s
best_phase_deg: 0
params:
  full: 0.6
windows:
  lean: mean(imbalance, 1m)
signal: where(spread < 2bps, clip(lean / full, -1, 1), 0)
"""
_TASK: Final = """\
You propose detectors of short-lived moves of a perpetual contract, as specs in one closed language. A spec is YAML.
Its signal s is a number without a unit, from -1 (down) to 1 (up), for each window of 5 seconds; 0 says nothing.
A numerical test judges each spec on data that you do not see; say nothing about its worth.

Answer with one JSON object and nothing around it: {"specs": ["...YAML text...", ...]}
Keys of a spec: detector_id, family, version, idea, horizon, band, best_phase_deg, signal; optional: params, windows.
`idea` is one plain sentence. `horizon` is 30s, 5m or 1h. `windows` are expressions over the columns and each other. A
name is small letters, digits and _, and is no word of the language and no column. Every name must be used. Units are
checked: a sum has one unit, a comparison too.
"""
_BOUNDS: Final = (
    f"At most {MOST_SPECS} specs in an answer; of one at most {MAX_DEPTH} levels, {MAX_NODES} nodes, {MAX_PARAMS} "
    "constants, one hour of history.\n"
)


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of the conversation; roles are system, user and assistant."""

    role: str
    text: str


def messages_of(prompt: Prompt) -> tuple[ChatMessage, ...]:
    """Return the messages of a prompt."""
    return ChatMessage("system", _language()), ChatMessage("user", _question(prompt))


def repair_messages(prompt: Prompt, content: str, refusals: Sequence[SpecRefusal]) -> tuple[ChatMessage, ...]:
    """Return the messages of the one repair round: the same, the model's own answer, and where it was refused."""
    lines = [refusal.line_of_text for refusal in refusals[:SHOWN_REFUSALS]]
    asked = "Refused. Answer again with all specs mended, in the same form:\n" + "\n".join(lines)
    return *messages_of(prompt), ChatMessage("assistant", content), ChatMessage("user", asked)


@cache
def _language() -> str:
    rows = [*map(_call, TRANSFORMS), *map(_operator, (*OPERATORS, *PREFIXES))]
    columns = [f"{name} [{'flag' if c.kind == 'flag' else c.unit}]" for name, c in window_columns().items()]
    parts = (
        _TASK + _BOUNDS, "Example:\n" + EXAMPLE, "Language (call: arguments; result; null):\n" + "\n".join(rows),
        "Columns [unit]: " + ", ".join(columns),
    )  # fmt: skip
    return "\n".join(parts) + "\n"


def _call(one: Transform) -> str:
    arguments = "; ".join(f"{name} {kind.value}" for name, kind in one.arguments)
    return f"{one.signature}: {arguments}; {one.formula}, unit {one.unit.value}; null {one.null}; e.g. {one.example}"


def _operator(one: Operator) -> str:
    symbols = " ".join(symbol for symbol, _ in one.symbols)
    return f"{symbols}: {one.formula}, unit {one.unit}; null {one.null}; e.g. {one.example}"


def _question(prompt: Prompt) -> str:
    again = f" This is question {prompt.turn} of one search: propose others than before." if prompt.turn > 1 else ""
    parts = [f"Propose {prompt.wanted} different specs.{again}"]
    if prompt.facts:
        names = ",".join(slot.name for slot in SLOTS)
        units = ", ".join(f"{slot.name} = {slot.formula} [{slot.unit}]" for slot in SLOTS)
        rows = "\n".join(_facts(row) for row in prompt.facts)
        parts.append(f"Market by asset, day and hour ({units}); frames: how many of 200 ms; -: not known.\n"
                     f"asset,day,hour,frames,{names}\n{rows}")  # fmt: skip
    if prompt.gaps:
        rows = "\n".join(f"{gap.column},{gap.horizon_s},{gap.detectors}" for gap in prompt.gaps)
        parts.append(f"Read by the fewest detectors so far:\ncolumn,horizon_s,detectors\n{rows}")
    if prompt.refusals:
        rows = "\n".join(f"{count.code.value},{count.times}" for count in prompt.refusals)
        parts.append(f"Earlier proposals were refused for:\nreason,times\n{rows}")
    if prompt.idea:
        parts.append(f"Idea of the operator, in his own words: {json.dumps(prompt.idea)}")
    return "\n\n".join(parts) + "\n"


def _facts(row: HourFacts) -> str:
    numbers = ",".join("-" if math.isnan(x) else f"{x:g}" for x in row.values)
    return f"A{row.asset},{row.day},{row.hour},{row.frames},{numbers}"
