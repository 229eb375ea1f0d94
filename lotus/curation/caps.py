"""The cap of each curator's nudges: halved at the end of a month that shows that they cost, restored when they pay.

At each end of a month the value of a curator's nudges over the last 60 learning days is judged at the level
1 - .05/15, one part of .05 for each of the fifteen curators. A curator is never silenced by it. (Literature: Bonferroni
correction, bounded delegation.)
"""

from collections.abc import Sequence
from typing import Final

from lotus.curation.curator_value import Columns, kpis
from lotus.curation.registry import SIG

LEVEL: Final = 1.0 - 0.05 / 15
LOOK_DAYS: Final = 400  # learning days that decide the caps: what is older has been judged again since


def caps_after(days: Sequence[str], values: Sequence[Columns], night: str) -> dict[str, float]:
    """Return the cap of every curator in the night of `night`, by name.

    `values`: CURATOR_VALUE of the learning days `days` before it, oldest first.
    """
    caps = {role.name: role.cap for role in SIG}
    actors = {role.actor: role for role in SIG}
    for k, after in enumerate([*days[1:], night]):
        if not days or days[k][:7] == after[:7]:
            continue
        for kpi in kpis(values[: k + 1], LEVEL):
            role = actors.get(kpi.actor)
            if role is None or kpi.value.low is None or kpi.value.high is None:
                continue
            if kpi.value.high < 0.0:
                caps[role.name] /= 2.0
            elif kpi.value.low > 0.0:
                caps[role.name] = role.cap
    return caps
