"""The hot intents: what trading waits for, handled in the daemon's own Herald and never by a Dagster run.

The slow ones stand in `slow`; a module's intent stands in one of the two. What the handlers need to know of market and
venue is given to them when a daemon begins to trade.
"""

from collections.abc import Callable, Mapping
from typing import Any

from lotus.modules.intents import Intent, Module
from lotus_herald.consume import Handlers
from lotus_modules.dm.decide import Decider
from lotus_modules.sig.executed import note_execution
from lotus_modules.slow import SLOW_HANDLERS
from lotus_modules.tr.execute import Acceptor

HOT: Mapping[Module, Mapping[Intent, Callable[..., Any]]] = {
    Module.SIG: {Intent.EXEC_REPORT: note_execution},
    Module.DM: {
        Intent.ALPHA_PROPOSED: Decider.take_alpha,
        Intent.ALPHA_WITHDRAWN: Decider.take_withdrawal,
        Intent.META_SIGNAL: Decider.take_cue,
        Intent.ALPHA_HINT: Decider.take_hint,
        Intent.EXEC_REPORT: Decider.take_report,
        Intent.TRIGGER_EVAL: Decider.take_trigger,
    },
    Module.TR: {Intent.DM_DECISION: Acceptor.take_decision},
}


def hot_handlers(decider: Decider, acceptor: Acceptor) -> Mapping[Module, Handlers]:
    """Return the handlers of one daemon that trades."""
    return {
        Module.SIG: {Intent.EXEC_REPORT: note_execution},
        Module.DM: decider.handlers(),
        Module.TR: acceptor.handlers(),
    }


def handler_names() -> dict[Module, dict[Intent, str]]:
    """Return the name of the function behind every intent that is handled, by module, as manifests name it."""
    named: dict[Module, dict[Intent, str]] = {module: {} for module in Module}
    for table in (SLOW_HANDLERS, HOT):
        for module, handlers in table.items():
            named[module] |= {intent: handler.__name__ for intent, handler in handlers.items()}
    return named
