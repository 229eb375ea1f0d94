"""The slow intents: what Dagster applies, module by module, when a sensor sees it wait.

The same handlers and the same transaction as everywhere; a hot intent (one that trading waits for) must not stand here.
A module without an entry has nothing slow to do yet. How a message is applied is in `lotus_herald.consume`.
"""

from collections.abc import Mapping

from lotus.modules.intents import Module
from lotus_herald.consume import Handlers
from lotus_modules.priors.prior_patch import KNOB_HANDLERS, PRIOR_HANDLERS

SLOW_HANDLERS: Mapping[Module, Handlers] = {
    Module.SIG: PRIOR_HANDLERS,
    Module.DM: KNOB_HANDLERS,
    Module.TR: KNOB_HANDLERS,
}
