"""Whether every module is of one release and schema: manifests, code and live databases, and what was said lately.

The same comparison as `lotus modules check`, without reading rows. (Literature: schema drift detection.)
"""

from functools import cache

from lotus.modules.intents import Module
from lotus_herald.release import release_of
from lotus_modules.handlers import handler_names
from lotus_store.databases import Databases
from lotus_store.ledger.messages.boxes import releases_lately
from lotus_store.manifests.check import differences, live_wrong
from lotus_store.manifests.model import load_manifest

LATELY_S = 60.0


def mismatches(databases: Databases) -> list[str]:
    """Return every difference, one line each; none when all modules are of one release. Raises when no one answers."""
    faults = list(_in_files())
    for module in Module:
        with databases.connect(module.value) as connection:
            faults += live_wrong(connection, load_manifest(module.value), ranges=False)
            for release in releases_lately(connection, module.value, LATELY_S):
                if release != release_of(module):
                    faults.append(f"{module} spoke as {release}; this program is {release_of(module)}")
    return faults


@cache
def _in_files() -> tuple[str, ...]:
    return tuple(differences(handler_names()))
