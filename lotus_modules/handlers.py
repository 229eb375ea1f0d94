"""The one table of handlers: which function handles an intent of a module.

The slow intents are Dagster's: a sensor sees them wait. The hot ones are what trading waits for; the Herald of the
daemon handles them, and no Dagster run. An intent of a module stands in one of the two. How a message is applied is in
`lotus_herald.consume`.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from lotus.modules.intents import Intent, Module
from lotus_herald.consume import Handlers
from lotus_modules.dm.decide import Decider
from lotus_modules.dm.wishes import note_wish_or_review
from lotus_modules.priors.prior_patch import apply_patch, note_answer
from lotus_modules.priors.weave_notes import note_alert, note_lesson, note_review, note_variant
from lotus_modules.sig.acts import note_act
from lotus_modules.sig.executed import note_execution
from lotus_modules.sig.monitored import queue_alert
from lotus_modules.tr.execute import Acceptor

_KNOBS: Handlers = {
    Intent.PRIOR_PATCH: apply_patch,
    Intent.PRIOR_PATCH_APPLIED: note_answer,
    Intent.WATCHDOG_ALERT: note_alert,
    Intent.LESSON_PUBLISHED: note_lesson,
}
SLOW: Mapping[Module, Handlers] = {
    Module.SIG: {**_KNOBS, Intent.WATCHDOG_ALERT: queue_alert, Intent.LEARNING_UPDATE: note_act},
    Module.DM: {**_KNOBS, Intent.LEARNING_UPDATE: note_wish_or_review, Intent.VARIANT_BORN: note_variant},
    Module.TR: {**_KNOBS, Intent.LEARNING_UPDATE: note_review, Intent.VARIANT_BORN: note_variant},
}
HOT: Mapping[Module, Mapping[Intent, Callable[..., str]]] = {
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
    owners: dict[Module, Any] = {Module.DM: decider, Module.TR: acceptor}
    return {
        module: {i: partial(handler, owners[module]) if module in owners else handler for i, handler in own.items()}
        for module, own in HOT.items()
    }


def handler_names() -> dict[Module, dict[Intent, str]]:
    """Return the name of the function behind every intent that is handled, by module."""
    named: dict[Module, dict[Intent, str]] = {module: {} for module in Module}
    for table in (SLOW, HOT):
        for module, handlers in table.items():
            named[module] |= {intent: handler.__name__ for intent, handler in handlers.items()}
    return named
