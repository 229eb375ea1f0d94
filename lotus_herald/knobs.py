"""Which knobs a plan is executed with, looked up where the plan is accepted: in the trader's own database.

A version counts from its event time on. What it says in a context is `lotus.trading.knob_choice`.
"""

from dataclasses import dataclass, field

from lotus.errors import BeliefError
from lotus.manifest import WeaveDefaults
from lotus.modules.envelope import RefusedError
from lotus.modules.intents import Module, Reason
from lotus.priors.context import context_bins
from lotus.trading.knob_choice import KnobChoice, choice_of
from lotus_store.databases import Connection
from lotus_store.ledger.priors import in_force_at


@dataclass(frozen=True, slots=True)
class KnobChooser:
    """Chooses for one trader."""

    weave: WeaveDefaults = field(default_factory=WeaveDefaults)

    def choice(self, connection: Connection, branch: str, context: str, time_ms: int) -> KnobChoice:
        """Return the choice for a plan accepted at an event time; raises `RefusedError` for a strange context."""
        try:
            bins = context_bins(context)
        except BeliefError as problem:
            raise RefusedError(Reason.BAD_PAYLOAD, str(problem), "the context of a proposal") from problem
        version = in_force_at(connection, branch, time_ms, Module.TR.value)
        return choice_of(version, context, bins, time_ms, self.weave)
