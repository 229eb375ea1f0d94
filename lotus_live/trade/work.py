"""A plan under way at the desk, and the desk's running counts. Values only; what moves them is `desk`."""

from dataclasses import dataclass, field

from lotus.trading.execution import ExecutionState
from lotus.trading.execution_events import Command
from lotus.trading.venue import Venue
from lotus_store.ledger.plans import PlanRow


@dataclass(slots=True)
class Work:
    """A plan under way, and what of it changed since it was written down."""

    row: PlanRow
    state: ExecutionState
    venue: Venue
    commands: list[Command] = field(default_factory=list)
    is_changed: bool = False
    finished: bool = False
    written: ExecutionState | None = None
    done_ms: int | None = None


@dataclass(slots=True)
class DeskCounts:
    """Running counts of one life of the desk."""

    plans: int = 0
    finished: int = 0
    orders: int = 0
    fills: int = 0
    alarms: int = 0
    write_failures: int = 0
    last_failure: str = ""
    broken: int = 0  # tasks that ended with an error
    last_broken: str = ""
