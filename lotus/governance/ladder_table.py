"""LADDER_STEPS: where every subject stands after a Monday and why; rows of a day are written once."""

import json
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec
from lotus.governance.ladder import LadderStanding, LadderStep, Rung, bet_on, harm_of

LADDER_STEPS: Final = TableSpec(
    "ladder_steps",
    ("kind", "subject"),
    (
        Column("kind", "text", "", "detector"),
        Column("subject", "text", "", "detector and version"),
        Column("rung", "text", "", "where it stood: offline, shadow, paper, small live, full"),
        Column("to_rung", "text", "", "where it stands from this Monday on"),
        Column("entered", "text", "", "day on which it entered the rung where it stands now"),
        Column("verdict", "text", "", "up, down or stays, and why"),
        Column("gates", "text", "", "JSON: each gate of the rung with what was found and what it needs"),
        Column("days", "i8", "days", "with a net payoff since it entered", low=0),
        Column("e_value", "f8", "1", "largest E against a mean of at most 0", low=0),
        Column("harm_e", "f8", "1", "largest E against a mean of at least -1 bps", low=0),
        Column("on_rung", "i8", "", "subjects ever on the rung this year", low=1),
    ),
)


def step_rows(
    steps: Sequence[tuple[LadderStanding, LadderStep]], entered: Mapping[str, str], day: str
) -> dict[str, NDArray[np.generic]]:  # fmt: skip
    """Return the rows of a Monday in key order; `entered`: when each subject entered its rung."""
    rows = [
        (
            step.kind, step.name, step.rung.value, step.to.value,
            day if step.to is not step.rung else entered.get(step.name, day), step.verdict,
            json.dumps([[g.name, g.found, g.needs, g.is_open] for g in step.gates]), len(one.payoffs_bps),
            bet_on(one.payoffs_bps).peak, harm_of(one.payoffs_bps).peak, one.on_rung,
        )
        for one, step in sorted(steps, key=lambda pair: (pair[1].kind, pair[1].name))
    ]  # fmt: skip
    columns = zip(*rows, strict=True) if rows else ((),) * len(LADDER_STEPS.names)
    pairs = zip(LADDER_STEPS.names, columns, strict=True)
    return {name: np.array(list(values), dtype=LADDER_STEPS.numpy_dtype(name)) for name, values in pairs}


def standing_of(rows: Mapping[str, NDArray[np.generic]]) -> dict[str, tuple[Rung, str]]:
    """Return the rung of each subject after a stored Monday, and the day on which it entered it."""
    values = zip(rows["subject"].tolist(), rows["to_rung"].tolist(), rows["entered"].tolist(), strict=True)
    return {name: (Rung(rung), entered) for name, rung, entered in values}
