"""The release that a sender names in every envelope: the program's version and the hash of the sender's manifest.

Two programs with the same release send the same messages in the same form. (Literature: schema versioning.)
"""

from functools import cache

from lotus.modules.intents import Module
from lotus_store.build import VERSION
from lotus_store.manifests.model import schema_hash


@cache
def release_of(module: Module) -> str:
    """Return `lotus-<version>+<16 hexadecimal characters of the manifest>`."""
    return f"lotus-{VERSION}+{schema_hash(module)}"
