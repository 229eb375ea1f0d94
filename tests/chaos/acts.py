"""Acts over the small world: what people said before it, what compliance does each night, vetoes at once in its tape.

A campaign with `--acts` runs over these. **A new kind of act joins it by a line of `SAID`**; one that nights make by
themselves joins by what makes them do so, as `FORBIDDEN` does. Their hashes must come out the same whatever was killed.
"""

from collections.abc import Iterator

import numpy as np

from lotus.curation.act import ALLOCATOR, CurationAct, CurationKind
from lotus.curation.at_once import VetoAtOnce
from lotus.detectors.scoring.signal_spec import ACTS, PERSON
from lotus.experts.fusion import default_experts
from lotus.timebase import next_day
from lotus_live.feed.recorder import SwapRecord
from lotus_store.databases import Connection
from lotus_store.lake import Lake
from lotus_store.ledger.beliefs.acts import acts_on, put_acts

BRANCH = "chaos"
FIRST, SECOND, THIRD, LAST = (next_day("2026-01-09", k) for k in range(4))
BEFORE = next_day(FIRST, -2)  # last day known when people spoke
VOICE, OTHER = default_experts().names[
    :2
]  # one loses its vote and is idle from the third day on, one its vote for a day
FORBIDDEN = ("imbalance_persistence@ETH",)  # a rule of compliance: an act of every night


def _act(actor: str, kind: CurationKind, target: str, days: tuple[str, str], **more: object) -> CurationAct:
    values = {"value": 0.0, "revokes": "", "at_once": False} | more
    return CurationAct("", BRANCH, BEFORE, actor, kind, target, reason="chaos", evidence_ref="", from_day=days[0],
                       until_day=days[1], **values).named()  # type: ignore[arg-type]  # fmt: skip


_UP = _act("ann", CurationKind.NUDGE, "micro_drift", (FIRST, LAST), value=0.05)
SAID = (
    _UP,
    _act("bob", CurationKind.NUDGE, "compressed_range", (SECOND, next_day(LAST)), value=-0.04),
    _act("ann", CurationKind.VETO, "@ETH", (THIRD, LAST)),
    _act(ALLOCATOR, CurationKind.OFF, VOICE, (SECOND, next_day(LAST))),
    _act(ALLOCATOR, CurationKind.IDLE, VOICE, (THIRD, next_day(LAST))),
    _act(ALLOCATOR, CurationKind.OFF, OTHER, (THIRD, LAST)),
    _act("bob", CurationKind.LIFT, "micro_drift", (THIRD, next_day(LAST)), revokes=_UP.act_id),
    _act("cat", CurationKind.VETO, "basis_shock", (next_day(LAST), next_day(LAST, 2)), at_once=True),
    _act("cat", CurationKind.VETO, "@BTC", (LAST, next_day(LAST)), at_once=True),
)
AT_ONCE = tuple(VetoAtOnce(act.act_id, BRANCH, act.target, act.from_day) for act in SAID if act.at_once)


def say(sig: Connection) -> None:
    """Put what people said into the ledger of a home; safe to repeat."""
    with sig.transaction():
        put_acts(sig, SAID)


def controls(day: str, times_ns: list[int]) -> Iterator[tuple[int, bytes]]:
    """Yield control records of a day as a daemon writes them, under stamps of its lines: at its begin and in its midst.

    Both vetoes hold from the midst of the third day on; over midnight the record of the day says so again, and `@BTC`
    is in the tables of the last day. In its midst the other one is lifted.
    """
    both, one = AT_ONCE, AT_ONCE[1:]
    said = {THIRD: ((len(times_ns) // 2, both),), LAST: ((0, both), (2 * len(times_ns) // 3, one))}
    for place, vetoes in said.get(day, ()):
        yield times_ns[place], SwapRecord(0, "", "", "", "", day, (), vetoes).frame()


def barred_of(lake: Lake, sig: Connection) -> dict[str, list[int]]:
    """Return by day how many acts were in force, and how many windows acts and people barred."""
    out = {}
    for day in (FIRST, SECOND, THIRD, LAST):
        veto = lake.read("signal_events", BRANCH, day, columns=("veto",))["veto"].astype(np.int64)
        barred = int(np.count_nonzero(veto & ACTS)), int(np.count_nonzero(veto & PERSON))
        out[day] = [len(acts_on(sig, BRANCH, day)), *barred]
    return out
