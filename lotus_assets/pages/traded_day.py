"""What `lotus up --trade-day` tells of its day: the end of trading, and what the nightly run after it learned.

The nightly run itself is asked for by the sensor `late_executions`; here it is only waited for and put into words.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from lotus.timebase import day_start_ms, next_day
from lotus_assets.stages.chain import LAST_STAGE
from lotus_assets.stages.scoring.payoff_scores import UNTOLD_DAYS
from lotus_resources.dagster_internals import tags_of_sensor
from lotus_resources.provision import instance
from lotus_sensors.late_executions import NAME as SENSOR
from lotus_store.config import Settings
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.day_commits import committed_days, read_commit
from lotus_store.ledger.signals.executions import EXECUTIONS_TOLD, executions_of, late_executions

OVER = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
Say = Callable[[str], None]


@dataclass(slots=True)
class TradedDay:
    """One traded day, looked at from time to time; `status` is asked for its daemon's."""

    settings: Settings
    databases: Databases
    environment: dict[str, str]
    day: str
    status: Callable[[], Mapping[str, Any]]
    say: Say
    _ended: bool = False
    _over: bool = False

    def look(self) -> None:
        """Say what is new."""
        if self._over:
            return
        status = {} if self._ended else self.status()
        if status.get("running"):
            return
        with self.databases.connect("sig", autocommit=True) as sig:
            if not self._ended:
                self._ended = True
                whole = str(status.get("daemon", {}).get("state", "")).startswith("stopped")
                if not whole:
                    self.say(f"the daemon broke off; its log is {status.get('log')}")
                self.say(self._traded(sig, "is traded" if whole else "was traded until then"))
                self._over = self._nothing_follows(sig)
            elif not self._is_late(sig):
                self._over = self._night_is_over(sig)

    def _traded(self, sig: Connection, how: str) -> str:
        executions = executions_of(sig, self.settings.branch, day_start_ms(self.day), day_start_ms(next_day(self.day)))
        outcomes = Counter(f"void: {row.void}" if row.void else row.outcome for row in executions)
        words = ", ".join(f"{n} {outcome}" for outcome, n in sorted(outcomes.items()))
        return f"{self.day} {how}: {len(executions)} published windows answered for ({words or 'none'})"

    def _nothing_follows(self, sig: Connection) -> bool:
        branch = self.settings.branch
        if read_commit(sig, branch, self.day, "signal_eval") is None:
            self.say(f"{self.day} was never materialised on {branch}: `lotus backfill` of it learns from what was told")
            return True
        if not self._is_late(sig):
            self.say("all of it is in the day's outcomes already")
            return True
        self.say("the nightly run after it begins by itself")
        return False

    def _is_late(self, sig: Connection) -> bool:
        return bool(late_executions(sig, self.settings.branch, max(self.settings.manifest.outcomes.horizons_s)))

    def _night_is_over(self, sig: Connection) -> bool:
        with instance(self.environment) as opened:
            runs = opened.get_runs(filters=dg.RunsFilter(tags=tags_of_sensor(SENSOR)), limit=1)
        if not runs or runs[0].status not in OVER:
            return False
        if runs[0].status is dg.DagsterRunStatus.SUCCESS:
            self.say(self._learned(sig))
        else:
            self.say(f"the nightly run after {self.day} failed: run {runs[0].run_id} in the Dagster UI has the trace")
        return True

    def _learned(self, sig: Connection) -> str:
        outcomes, lessons = self._notes(sig, self.day, "signal_eval"), self._notes(sig, self.day, "lessons")
        last = committed_days(sig, self.settings.branch, LAST_STAGE)[-1]
        priors = self._notes(sig, last, LAST_STAGE)
        untold = lessons.get(UNTOLD_DAYS, 0)
        taught = f"; {lessons.get('accepted', 0)} lessons accepted; priors taught by {last}: {priors['priors_ver']}"
        return (
            f"learned from {self.day}: {outcomes.get('executed_at_venue', 0)} whole windows executed at the venue "
            f"({outcomes.get(EXECUTIONS_TOLD, 0)} told), {outcomes.get('detectors_taught_by_venue', 0)} detectors "
            f"taught by them; behind its lessons stand {lessons.get('executed_venue', 0)} windows executed at a venue "
            f"and {lessons.get('executed_tape_sim', 0)} against the tape"
            + (f" ({untold} days were scored before this was noted)" if untold else "")
            + taught
        )

    def _notes(self, sig: Connection, day: str, stage: str) -> Mapping[str, Any]:
        commit = read_commit(sig, self.settings.branch, day, stage)
        return {} if commit is None else commit.notes["notes"]
