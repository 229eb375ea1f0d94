"""The days that the pages of `lotus up` show: when the tape has others, the code server begins anew, between two runs.

Runs are children of the code server and would end with it. They are waited for, queued ones too, for so long and no
longer; runs of a process of its own (a backfill in another terminal) have nothing to do with it.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import dagster as dg

from lotus_resources.provision import instance
from lotus_resources.span import DaySpan
from lotus_sensors.asking import OPEN
from lotus_store.processes import PID_TAG

WAIT_S = 3600.0  # after that the days are shown all the same: what a run committed is kept, and it can be run again


def runs_under_way(environment: Mapping[str, str]) -> list[str]:
    """Return the ids of queued and begun runs that are, or are to become, children of the code server."""
    with instance(dict(environment)) as opened:
        runs = opened.get_runs(filters=dg.RunsFilter(statuses=list(OPEN)))
    return [run.run_id for run in runs if PID_TAG not in run.tags]


@dataclass(slots=True)
class ShownDays:
    """The span that is shown; `now` reads that of the tape, `begin_anew` starts the code server with another one."""

    span: DaySpan
    now: Callable[[], DaySpan]
    under_way: Callable[[], list[str]]
    begin_anew: Callable[[DaySpan], None]
    say: Callable[[str], None]
    _waits_since_s: float | None = None

    def look(self) -> None:
        """Show the days of the tape when it has others and no run is under way, or none ended for too long."""
        span = self.now()
        if span == self.span:
            self._waits_since_s = None
            return
        runs, now_s = self.under_way(), time.monotonic()
        if runs and self._waits_since_s is None:
            self._waits_since_s = now_s
            self.say(
                f"the tape has other days now: the pages show {span} once {len(runs)} runs under way have ended, "
                f"in {WAIT_S / 60:.0f} minutes at the latest"
            )
        if runs and self._waits_since_s is not None and now_s - self._waits_since_s < WAIT_S:
            return
        if runs:
            self.say(f"{len(runs)} runs still under way end now; what they committed is kept: {', '.join(runs)}")
        self.span, self._waits_since_s = span, None
        self.say(f"the tape has other days now: the pages show {span}")
        self.begin_anew(span)
