"""Who a process says it is: read from the manifests, the map and the handlers it has, so that nobody types it by hand.

A capability that is an intent makes a replica eligible for messages of that intent; any other names a work (`carry`,
`apply_inbox`) and gets it none. Registering and beating is in `replicas`. (Literature: service description.)
"""

from collections import Counter
from collections.abc import Collection

from lotus.modules.intents import Intent, Module
from lotus_herald.replicas import Replica
from lotus_herald.routes import load_routes
from lotus_store.manifests.model import load_manifest

CARRY = "carry"


def serves(module: Module, replica_id: str, handlers: Collection[Intent]) -> Replica:
    """Return a process that stands ready to apply a module's messages: the daemon, a Herald with handlers.

    It may say whatever the module's manifest lets the module say.
    """
    said = {e.intent for e in load_manifest(module.value).events.outbound}
    return _replica(module, replica_id, sorted(handlers), handlers, said)


def works(module: Module, replica_id: str, work: str, handlers: Collection[Intent] = ()) -> Replica:
    """Return a process with one work for a module (carrying; a job that applies what waits and ends).

    It is sent nothing by name, and says no more than what acknowledges the intents it handles.
    """
    routes = load_routes().routes
    answers = {answer for intent in handlers if (answer := routes[intent].answer) is not None}
    return _replica(module, replica_id, [work], handlers, answers)


def _replica(
    module: Module, replica_id: str, capabilities: list[str], handlers: Collection[Intent], said: Collection[Intent]
) -> Replica:
    events = load_manifest(module.value).events
    accepts = [e.schema_ref for e in events.inbound if e.handler is not None and e.intent in handlers]
    produces = [e.schema_ref for e in events.outbound if e.intent in said]
    return Replica(module, replica_id, capabilities, accepts, produces, _partners(module, accepts, produces))


def _partners(module: Module, accepts: Collection[str], produces: Collection[str]) -> list[str]:
    """Return the other modules by the number of schemas exchanged with them, most first, then by name."""
    shared: Counter[str] = Counter()
    for other in Module:
        events = load_manifest(other.value).events
        shared[other.value] += sum(e.schema_ref in accepts for e in events.outbound)
        shared[other.value] += sum(e.schema_ref in produces for e in events.inbound)
    del shared[module.value]
    return sorted(+shared, key=lambda name: (-shared[name], name))
