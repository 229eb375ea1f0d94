"""The identity of a process, read from the messages and its handlers, so that nobody types it by hand.

A capability that is an intent makes a replica eligible for messages of that intent; any other names a work (`carry`,
`apply_inbox`) and gets it none. Registering and beating is in `replicas`. (Literature: service description.)
"""

from collections import Counter
from collections.abc import Collection

from lotus.modules.intents import Intent, Module
from lotus.modules.messages.catalogue import received_by, routes, sent_by
from lotus_herald.replicas import Replica

CARRY = "carry"


def serves(module: Module, replica_id: str, handlers: Collection[Intent]) -> Replica:
    """Return a process that stands ready to apply a module's messages: the daemon, a Herald with handlers.

    It may send whatever the module may send.
    """
    return _replica(module, replica_id, sorted(handlers), handlers, tuple(Intent))


def works(module: Module, replica_id: str, work: str, handlers: Collection[Intent] = ()) -> Replica:
    """Return a process with one work for a module (carrying; a job that applies what waits and ends).

    It is sent nothing by name, and sends no more than what acknowledges the intents it handles.
    """
    answers = {answer for intent in handlers if (answer := routes()[intent].answer) is not None}
    return _replica(module, replica_id, [work], handlers, answers)


def _replica(
    module: Module, replica_id: str, capabilities: list[str], handlers: Collection[Intent], sends: Collection[Intent]
) -> Replica:
    received = {ref: kind.contract for ref, kind in received_by(module).items()}
    accepts = [ref for ref, contract in received.items() if contract.intent in handlers and not contract.planned]
    produces = [ref for ref, kind in sent_by(module).items() if kind.contract.intent in sends]
    return Replica(
        module=module,
        replica_id=replica_id,
        capabilities=capabilities,
        accepts=accepts,
        produces=produces,
        preferred=_partners(module, accepts, produces),
    )


def _partners(module: Module, accepts: Collection[str], produces: Collection[str]) -> list[str]:
    """Return the other modules by the number of schemas exchanged with them, most first, then by name."""
    shared: Counter[str] = Counter()
    for other in Module:
        shared[other.value] += sum(ref in accepts for ref in sent_by(other))
        shared[other.value] += sum(ref in produces for ref in received_by(other))
    del shared[module.value]
    return sorted(+shared, key=lambda name: (-shared[name], name))
