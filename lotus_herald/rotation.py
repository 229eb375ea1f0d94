"""Creating and rotating the key of a module: the file first, then the table, so that a kill between them loses nothing.

After the file is replaced every sender signs with the new key and registers it; retiring the old one can be repeated.
"""

from lotus.modules.intents import Module
from lotus_herald.keys import Keys
from lotus_herald.release import release_of
from lotus_store.databases import Databases
from lotus_store.ledger.messages import identities


def create(databases: Databases, module: Module, keys: Keys) -> str:
    """Make a module's key unless it has one, and register it; return its public half."""
    verify_key = keys.verify_key(module.value)
    with databases.connect(module.value) as connection:
        identities.put_key(connection, module.value, verify_key, release_of(module))
    return verify_key


def rotate(databases: Databases, module: Module, keys: Keys) -> str:
    """Replace a module's key and retire all earlier ones for every later message; return its public half.

    Killed after the file was replaced, the old key stays valid until rotating is run again.
    """
    if keys.exists(module.value):
        create(databases, module, keys)
    verify_key = keys.replace(module.value)
    with databases.connect(module.value) as connection:
        identities.retire_others(connection, module.value, verify_key)
        identities.put_key(connection, module.value, verify_key, release_of(module))
    return verify_key
