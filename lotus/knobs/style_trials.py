"""What tried styles of entry teach the trader: one experiment a step, from a window's payoffs in every style.

The knob `execution:entry_style` has three steps: cross, join, improve. Its first step is tried on windows that drew one
of the first two styles, its second on those that drew one of the last two; given that, the draw between both is
independent of everything, with a known probability. A is the upper style, Y the net payoff of the style that was drawn
(as executed where nearly all of the day was, else the pessimistic fill against the tape), and m what the lower style
pays against the tape on the same window, which no draw moves: so a contrast has the noise of a difference only. In the
literature: ordered treatments, control variates.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from lotus.detectors.entry_style import EntryStyle
from lotus.knobs.rows import Observation
from lotus.knobs.style_draw import STEPS, StyleDraw, drawn_styles
from lotus.learning.payoff_scores import Columns
from lotus.outcomes.executed import MIN_ANSWERED
from lotus.outcomes.tape_fill import FILL_SOURCE

_STYLES: Final = tuple(EntryStyle)
_COLUMN: Final = {EntryStyle.CROSS: "cross", EntryStyle.JOIN: "join_low", EntryStyle.IMPROVE: "improve_low"}


@dataclass(frozen=True, slots=True)
class Executed:
    """Payoffs in bps of the windows that a venue executed in the style that was drawn, by event, without what is void;
    `source` is the word for who filled them."""

    payoffs: Mapping[str, float] = field(default_factory=dict)
    source: str = ""


def style_observations(
    table: Columns,
    contexts: Mapping[str, str],
    shares: Sequence[float],
    seed: int,
    executed: Executed | None = None,
) -> list[Observation]:
    """Return the trials among the windows of STYLE_PAYOFFS; `contexts`: their bins as text, by event.

    `shares` are those of joining and of improving. A window without a payoff in some style is in no trial, so that what
    is left out does not depend on the draw. Where nearly all windows were executed, those alone count, as executed.
    """
    executed = executed or Executed()
    names = np.asarray(table["event_id"]).tolist()
    payoffs = {style: np.asarray(table[_COLUMN[style]], dtype=np.float64) for style in _STYLES}
    is_paid = np.all([np.isfinite(values) for values in payoffs.values()], axis=0)
    answered = sum(name in executed.payoffs for name in names)
    is_executed = answered > 0 and answered >= MIN_ANSWERED * len(names)
    longest_s = int(np.max(table["horizon_s"], initial=1))  # what overlaps in time is one step of it
    paid = np.flatnonzero(is_paid).tolist()
    draws = drawn_styles([names[i] for i in paid], shares, seed)
    trials_of = {style: tuple(_trials_of(draw)) for style, draw in {draw.style: draw for draw in draws}.items()}
    coins, times = np.asarray(table["asset"]).tolist(), np.asarray(table["maturity_ms"], dtype=np.int64).tolist()
    by_style = {style: values.tolist() for style, values in payoffs.items()}
    out: list[Observation] = []
    for i, draw in zip(paid if draws else [], draws, strict=True):
        outcome_bps = executed.payoffs.get(names[i]) if is_executed else by_style[draw.style][i]
        if outcome_bps is None:
            continue
        out += [
            Observation(
                name=names[i],
                owner=owner,
                coin=str(coins[i]),
                horizon_s=longest_s,
                time_ms=times[i],
                context=contexts[names[i]],
                arm=arm,
                propensity=p,
                outcome_bps=outcome_bps,
                source=executed.source if is_executed else FILL_SOURCE,
                expected_bps=by_style[lower][i],
            )
            for owner, arm, p, lower in trials_of[draw.style]
        ]
    return out


def _trials_of(draw: StyleDraw) -> Iterator[tuple[str, int, float, EntryStyle]]:
    """Yield owner, arm, propensity and the lower style of every step that the draw is a trial of."""
    for owner, upper in STEPS:
        lower = _STYLES[_STYLES.index(upper) - 1]
        p = draw.against(lower, upper)
        if p is not None:
            yield owner, int(draw.style is upper), p, lower
