"""The state table of a grammar: states, symbols in order of priority, transitions, time limits, weight of a state.

Read and checked here; the operation `fsm` of the tape machine runs it. A symbol that a state does not name leaves the
state to its time limit; `timeout` is the target of the limit. Literature: timed automata.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lotus.errors import ExpressionError
from lotus.experts.source import SpecSource
from lotus.tape_machine.checker import quantity
from lotus.tape_machine.ops.table import MAX_FSM_STATES
from lotus.tape_machine.units import time_ratio

TIMEOUT: Final = "timeout"
LIMIT_S: Final[float] = 7_200.0


@dataclass(frozen=True, slots=True)
class Grammar:
    """A checked table; state 0 is the quiet one. Targets are states by number."""

    states: tuple[str, ...]
    symbols: Mapping[str, SpecSource]  # flags in order of priority
    transitions: Mapping[tuple[int, str], int]  # (state, symbol or timeout) -> state
    limits_s: Mapping[int, float]
    llr: Mapping[int, float]

    def params(self, cadence_ms: int) -> tuple[float, ...]:
        """Return the parameters of `fsm` with one more symbol first, which sends every state back to the quiet one."""
        n = len(self.states)
        table = []
        for state in range(n):
            row = [self.transitions.get((state, symbol), -1) for symbol in (*self.symbols, TIMEOUT)]
            table += [-1 if state == 0 else 0, *row]
        limits = [max(1, round(1_000.0 * self.limits_s[s] / cadence_ms)) if s in self.limits_s else 0 for s in range(n)]
        return tuple(float(x) for x in (n, *table, *limits))


def read_grammar(keys: Mapping[str, SpecSource]) -> Grammar:
    """Return the table of `states`, `symbols`, `transitions`, `limits` and `llr`; raises `ConfigError` at the place."""
    states = tuple(part.scalar for part in keys["states"].items())
    if not 2 <= len(states) <= MAX_FSM_STATES or len(set(states)) != len(states):
        raise keys["states"].error(f"{len(set(states))} states", f"2 to {MAX_FSM_STATES}, each once")
    symbols = keys["symbols"].mapping()
    if not symbols or TIMEOUT in symbols:
        raise keys["symbols"].error(f"symbols {', '.join(symbols)}", f"at least one; {TIMEOUT} is the limit's own")
    limits = {_state(states, part, name): seconds(part, LIMIT_S) for name, part in keys["limits"].mapping().items()}
    transitions: dict[tuple[int, str], int] = {}
    for name, row in keys["transitions"].mapping().items():
        state = _state(states, row, name)
        for symbol, target in row.mapping().items():
            if symbol != TIMEOUT and symbol not in symbols:
                raise target.error(f"unknown symbol {symbol!r}", ", ".join((*symbols, TIMEOUT)))
            if symbol == TIMEOUT and state not in limits:
                raise target.error(f"{TIMEOUT} of {name}, which has no limit", f"limits: {{{name}: 5s}}")
            transitions[state, symbol] = _state(states, target, target.scalar)
    _require_whole(keys, states, symbols, transitions, limits)
    llr = {_state(states, part, name): part.number() for name, part in keys["llr"].mapping().items()}
    if llr.get(0, 0.0) != 0.0 or min(llr.values(), default=0.0) < 0.0:
        raise keys["llr"].error("a weight of the quiet state, or a negative one", "weights >= 0 of the other states")
    return Grammar(states, symbols, transitions, limits, llr)


def _require_whole(
    keys: Mapping[str, SpecSource],
    states: Sequence[str],
    symbols: Mapping[str, SpecSource],
    transitions: Mapping[tuple[int, str], int],
    limits: Mapping[int, float],
) -> None:
    reached, edges = {0}, list(transitions.items())
    for _ in states:
        reached |= {to for (state, _), to in edges if state in reached}
    for k, name in enumerate(states):
        if k not in reached:
            raise keys["states"].error(f"state {name!r} cannot be reached", "a transition into it")
        if k > 0 and k not in limits:
            raise keys["limits"].error(f"state {name!r} has no limit", "a duration for every state but the first")
        if k > 0 and (k, TIMEOUT) not in transitions:
            raise keys["transitions"].error(f"state {name!r} has no {TIMEOUT}", "a target of its limit")
    for name, part in symbols.items():
        if not any(symbol == name for _, symbol in transitions):
            raise part.error(f"symbol {name!r} leads nowhere", "a transition by it")


def _state(states: Sequence[str], part: SpecSource, name: str) -> int:
    if name not in states:
        raise part.error(f"unknown state {name!r}", ", ".join(states))
    return list(states).index(name)


def seconds(part: SpecSource, most: float) -> float:
    """Return a duration in seconds, above 0 and at most `most`; raises `ConfigError`."""
    try:
        duration = quantity(part.scalar)
    except ExpressionError as error:
        raise part.expression_error(error) from None
    ratio = time_ratio(duration.unit, "s", 1)
    if ratio is None or "step" in duration.unit:
        raise part.error(f"{part.scalar!r}", "a duration such as 4s")
    value = duration.value * ratio
    if not 0.0 < value <= most:
        raise part.error(f"{part.scalar!r}", f"above 0 and at most {most:g} s")
    return value
