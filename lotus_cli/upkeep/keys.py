"""`lotus keys`: the signing keys of the modules, listed, created and rotated."""

import click

from lotus.modules.intents import Module
from lotus_cli.terminal.output import emit
from lotus_cli.terminal.places import at_home, settings_of

MODULE = click.Choice([m.value for m in Module])


@click.group("keys")
def keys_command() -> None:
    """Signing keys: list them, create one, put a new one in the place of an old one."""


@keys_command.command("list")
@at_home
def list_keys(home: str | None, as_json: bool) -> None:
    """List the verify keys that each module has registered, and until when each signed."""
    from lotus_store.databases import Databases
    from lotus_store.ledger.messages.identities import known_keys

    rows = []
    with Databases(settings_of(home)) as databases:
        for module in Module:
            with databases.connect(module.value) as connection:
                rows += [(module.value, key) for key in known_keys(connection, module.value)]
    lines = [
        f"{m:<4} {k.verify_key} {k.valid_from:%Y-%m-%d %H:%M} {_end(k.retired_at)} {', '.join(sorted(k.releases))}"
        for m, k in rows
    ]
    listed = [
        {"module": m, "verify_key": k.verify_key, "valid_from": k.valid_from, "retired_at": k.retired_at}
        for m, k in rows
    ]
    emit({"keys": listed}, as_json, "\n".join(lines) or "no key was registered yet")


@keys_command.command("create")
@click.argument("module", type=MODULE)
@at_home
def create_key(module: str, home: str | None, as_json: bool) -> None:
    """Make the key of MODULE unless it has one, and register it."""
    from lotus_herald.keys import Keys
    from lotus_herald.rotation import create
    from lotus_store.databases import Databases

    settings = settings_of(home)
    with Databases(settings) as databases:
        made = create(databases, Module(module), Keys(settings.keys_root))
    emit({"module": module, "verify_key": made}, as_json)


@keys_command.command("rotate")
@click.argument("module", type=MODULE)
@at_home
def rotate_key(module: str, home: str | None, as_json: bool) -> None:
    """Put a new key in the place of MODULE's key; messages already signed stay valid."""
    from lotus_herald.keys import Keys
    from lotus_herald.rotation import rotate
    from lotus_store.databases import Databases

    settings = settings_of(home)
    with Databases(settings) as databases:
        made = rotate(databases, Module(module), Keys(settings.keys_root))
    emit({"module": module, "verify_key": made}, as_json)


def _end(retired_at: object) -> str:
    return f"to {retired_at:%Y-%m-%d %H:%M}" if retired_at else "in use"
