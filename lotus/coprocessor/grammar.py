"""Trees grown from the table of transforms by kind and unit, so that none is ill-typed.

A place of the tree asks for a kind and a unit; what may stand there is every form of the table whose result has them.
Literals stand only beside something that changes, so that nothing folds into a constant without a value. Half of the
candidates are sign(x) * y with x a column that takes both signs. (Literature: strongly typed genetic programming,
Montana 1995; ramped growth, Koza 1992.)
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Final, TypeVar

import numpy as np

from lotus.coprocessor.genome import HORIZONS_S, Genome, environment, read
from lotus.errors import ConfigError
from lotus.tape_machine.environment import InputColumn
from lotus.tape_machine.syntax import Binary, Call, Name, Number, Tree, Unary
from lotus.tape_machine.transforms import TRANSFORMS, ArgumentKind, Transform, Unit
from lotus.tape_machine.units import product, spell, unit_of_spelling

SPANS: Final = ((10, "s"), (15, "s"), (30, "s"), (1, "m"), (2, "m"), (5, "m"), (10, "m"), (20, "m"))
SHARES: Final = (0.1, 0.2, 0.5, 0.8, 0.9)
LEVELS: Final = (0.25, 0.5, 1.0, 2.0, 4.0)  # times the scale of what is compared
SIGMAS: Final = (0.5, 1.0, 1.5, 2.0, 2.5)
# signed when it is above and below 0 by nature
SIGNED: Final = frozenset({
    "imbalance", "flow", "trend", "micro", "signed_usd", "basis", "funding", "ret_bps", "imb_1", "imb_5", "imb_10",
    "micro_drift_bps", "basis_bps", "body_bps", "sweep", "phase_cos", "phase_sin", "aggr_imb",
    "oi_delta", "funding_bps_h", "vwap_bps",
})  # fmt: skip
_TIMELIKE: Final = (ArgumentKind.WINDOW, ArgumentKind.DELAY, ArgumentKind.HALF_LIFE)
_RARE: Final = frozenset({"retest", "macd_signal", "clip", "quantile", "known", "log", "sqrt"})
ATTEMPTS: Final[int] = 8
Growth = Callable[[int], Tree]
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class CandidateGrammar:
    """The columns that a candidate may name, with the scale of each (median |x|; 1 where it is not known)."""

    step_ms: int
    columns: Mapping[str, InputColumn]
    scales: Mapping[str, float]
    horizons_s: tuple[int, ...] = HORIZONS_S

    @staticmethod
    def of(
        step_ms: int, scales: Mapping[str, float] | None = None, horizons_s: Sequence[int] = HORIZONS_S
    ) -> "CandidateGrammar":
        """Return the grammar of all columns of a window, or of those that have a scale, at horizons that are judged.

        Raises `ConfigError` where none of them is a candidate's.
        """
        judged = tuple(h for h in HORIZONS_S if h in horizons_s)
        if not judged:
            raise ConfigError(f"moves over {tuple(horizons_s)} s", f"one of {HORIZONS_S} among them", "horizons_s")
        every = environment(step_ms).columns
        names = [n for n in every if n != "age" and (scales is None or n in scales)]
        return CandidateGrammar(step_ms, {n: every[n] for n in names}, dict(scales or {}), judged)

    @cached_property
    def units(self) -> tuple[str, ...]:
        """Every unit that a column has."""
        return tuple(dict.fromkeys(c.unit for c in self.columns.values() if c.kind == "number"))

    def names(self, kind: str, unit: str = "1") -> list[str]:
        """Return the columns of a kind and unit."""
        return [n for n, c in self.columns.items() if (c.kind, c.unit) == (kind, unit)]

    @cached_property
    def signed(self) -> tuple[str, ...]:
        """Columns that take both signs."""
        return tuple(n for n, c in self.columns.items() if n in SIGNED and c.kind == "number")

    def scale(self, unit: str) -> float:
        """Return the middle scale of the columns of a unit, 1 without one."""
        scales = sorted(self.scales[n] for n in self.names("number", unit) if self.scales.get(n, 0.0) > 0.0)
        return scales[len(scales) // 2] if scales else 1.0


class Grower:
    """Grows trees with the random numbers of one generator; `spans` are the durations that one tree may use."""

    def __init__(self, grammar: CandidateGrammar, rng: np.random.Generator) -> None:
        """Begin with fresh durations."""
        self.grammar, self.rng = grammar, rng
        self.spans: list[Number] = []
        self.renew()

    def renew(self, spans: Sequence[Number] = ()) -> None:
        """Take other durations for the next tree, two drawn ones unless some are given."""
        self.spans = list(spans) or [self.a_span(), self.a_span()]

    def candidate(self, deep: int = 4) -> Genome:
        """Return a new candidate within the bounds."""
        for _ in range(ATTEMPTS):
            self.renew()
            horizon_s = self.one_of(self.grammar.horizons_s)
            try:
                return read(self.signal(1 + self.below(deep)), horizon_s, self.grammar.step_ms)
            except ConfigError:  # over the bounds
                continue
        return read(self._simple(), self.one_of(self.grammar.horizons_s), self.grammar.step_ms)

    def signal(self, deep: int) -> Tree:
        """Return a number without unit; half of them sign(x) * y with x signed."""
        if self.below(2) and self.grammar.signed:
            return Binary("*", Call("sign", (self.lean(deep - 1),)), self.strength(deep))
        return self.number("1", deep + 1)

    def lean(self, deep: int) -> Tree:
        """Return a number that takes both signs, of any unit."""
        column = Name(self.one_of(self.grammar.signed))
        match self.below(5) if deep > 0 else 0:
            case 1:
                return Call("ema", (column, self.span()))
            case 2:
                return Call("sum", (column, self.span()))
            case 3:
                return Call("delta", (Name(self.one_of([n for n, c in self.grammar.columns.items()
                                                        if c.kind == "number"])), self.span()))  # fmt: skip
            case 4:
                return Call("zscore", (column, self.span()))
        return column

    def strength(self, deep: int) -> Tree:
        """Return how much of the signal is said, most often all or nothing by a flag."""
        if self.below(3):
            return Call("where", (self.flag(deep), Number(1.0), Number(0.0)))
        return self.number("1", deep)

    def number(self, unit: str, deep: int) -> Tree:
        """Return a number of a unit, at most about so deep."""
        names = self.grammar.names("number", unit)
        if deep <= 1 or (names and not self.below(4)):
            return Name(self.one_of(names)) if names else self._made(unit)
        options = [*self._forms(unit), *self._operators(unit)]
        return options[self.below(len(options))](deep - 1) if options else Name(self.one_of(names))

    def flag(self, deep: int) -> Tree:
        """Return a flag, at most about so deep."""
        names = self.grammar.names("flag")
        if deep <= 1:
            return Name(self.one_of(names)) if names and not self.below(6) else self.comparison(1)
        match self.below(8):
            case 0 | 1:
                return Binary("and", self.flag(deep - 1), self.flag(deep - 1))
            case 2:
                return Call("within", (self.flag(deep - 1), self.span()))
            case 3:
                return Binary("<", Call("since", (self.flag(deep - 1),)), self.span())
            case 4:
                return Binary("or", self.flag(deep - 1), self.flag(deep - 1))
            case 5:
                return Unary("not", self.flag(deep - 1))
        return self.comparison(deep)

    def comparison(self, deep: int) -> Tree:
        """Return a number above or below a level of its own scale, or another number of its unit."""
        unit = self.one_of(self.grammar.units)
        op = self.one_of((">", "<"))
        match self.below(5):
            case 0:
                scored = Call("zscore", (self.number(unit, deep - 1), self.span()))
                return Binary(op, scored, self.minus(Number(self.one_of(SIGMAS), "sigma")))
            case 1:
                ranked = Call("rank", (self.number(unit, deep - 1), self.span()))
                return Binary(op, ranked, Number(self.one_of(SHARES)))
            case 2:
                return Binary(op, self.number(unit, deep - 1), self.number(unit, deep - 1))
            case 3:
                return Binary(op, self.number(unit, deep - 1), self.minus(self.level(unit)))
        return Binary(op, Name(self.one_of(self.grammar.signed or self.grammar.names("number", unit))), Number(0.0))

    def level(self, unit: str) -> Tree:
        """Return a constant of a unit at the scale of its columns; 0 where no literal writes the unit."""
        spelled = spelling_of(unit)
        if spelled is None:
            return Number(0.0)
        value = float(f"{self.grammar.scale(unit) * self.one_of(LEVELS):.2g}")
        return Number(value, spelled) if value > 0.0 else Number(0.0)

    def minus(self, level: Tree) -> Tree:
        """Return a level or, one time in four, what lies as far below 0."""
        return Unary("-", level) if not self.below(4) else level

    def a_span(self) -> Number:
        """Return any duration."""
        value, unit = SPANS[self.below(len(SPANS))]
        return Number(float(value), unit)

    def span(self) -> Number:
        """Return a duration of this tree."""
        return self.spans[self.below(len(self.spans))]

    def below(self, bound: int) -> int:
        """Return a whole number below a bound."""
        return int(self.rng.integers(bound))

    def one_of(self, values: Sequence[T]) -> T:
        """Return one of some values."""
        return values[self.below(len(values))]

    def call(self, form: Transform, unit: str, deep: int) -> Tree:
        """Return a call of a form whose numbers have a unit."""
        arguments: list[Tree] = []
        for name, kind in form.arguments:
            if kind is ArgumentKind.NUMBER:
                arguments.append(self.number(unit, deep))
            elif kind is ArgumentKind.FLAG:
                arguments.append(self.flag(deep))
            elif kind in _TIMELIKE:
                arguments.append(self._tempo(name))
            elif kind is ArgumentKind.SHARE:
                arguments.append(Number(self.one_of(SHARES)))
            else:
                arguments.append(self.level(unit))
        return Call(form.name, tuple(arguments))

    def _forms(self, unit: str) -> list[Growth]:
        """Return how a call of the table gives a number of a unit."""
        growths: list[Growth] = []
        for form in TRANSFORMS:
            inner = self._inner(form, unit)
            if inner and (form.name not in _RARE or not self.below(4)):
                growths.append(partial(self._called, form, inner))
        return growths

    def _called(self, form: Transform, units: Sequence[str], deep: int) -> Tree:
        return self.call(form, self.one_of(units), deep)

    def _inner(self, form: Transform, unit: str) -> Sequence[str]:
        """Return the units that the numbers of a form may have so that its result has `unit`."""
        every = self.grammar.units
        match form.unit:
            case Unit.SAME:
                return (unit,)
            case Unit.ONE:
                return every if unit == "1" else ()
            case Unit.PURE:
                return ("1",) if unit == "1" else ()
            case Unit.SIGMA:
                return every if unit == "sigma" else ()
            case Unit.STEP:
                return every if unit == "step" else ()
            case Unit.ROOT:
                return tuple(u for u in (product(unit, unit),) if u in every)
            case Unit.PER_MINUTE:
                return tuple(u for u in (product(unit, "min"),) if u in every)
        return ()

    def _operators(self, unit: str) -> list[Growth]:
        def plus(deep: int) -> Tree:
            return Binary(self.one_of(("+", "-")), self.number(unit, deep), self.number(unit, deep))

        def times(deep: int) -> Tree:
            return Binary("*", self.number("1", deep), self.number(unit, deep))

        def ratio(deep: int) -> Tree:
            other = self.one_of(self.grammar.units)
            return Binary("/", self.number(other, deep), self.number(other, deep))

        def scored(deep: int) -> Tree:
            return Binary("/", Call("zscore", (self.number(self.one_of(self.grammar.units), deep), self.span())),
                          Number(self.one_of(SIGMAS), "sigma"))  # fmt: skip

        return [plus, times, *([ratio, scored, self.strength] if unit == "1" else [])]

    def _made(self, unit: str) -> Tree:
        """Return a number of a unit that no column has."""
        column = Name(self.one_of([n for n, c in self.grammar.columns.items() if c.kind == "number"]))
        if unit == "sigma":
            return Call("zscore", (column, self.span()))
        if unit == "step":
            return Call("argmax_age", (column, self.span()))
        if unit == "1":
            return Call("sign", (column,))
        raise ConfigError(f"a number in {unit}", f"one of {', '.join(self.grammar.units)}", "no column has this unit")

    def _tempo(self, name: str) -> Number:
        """Return a duration of an argument; the slow side of a macd is always the slower one."""
        if name in ("fast", "slow"):
            return Number(30.0, "s") if name == "fast" else Number(2.0, "m")
        return self.span()

    def _simple(self) -> Tree:
        return Call("sign", (Name(self.one_of(self.grammar.signed or tuple(self.grammar.columns))),))


def spelling_of(unit: str) -> str | None:
    """Return how a literal writes a canonical unit, None where none does."""
    try:
        spelled = spell(unit.removeprefix("1"))
        return spelled if unit_of_spelling(spelled) == unit else None
    except (KeyError, ConfigError):
        return None
