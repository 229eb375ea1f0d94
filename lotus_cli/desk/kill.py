"""`lotus kill`: the kill switch of a home, an empty file: it works with everything else down and the disk full."""

import click

from lotus.errors import ConfigError
from lotus_cli.terminal.output import emit
from lotus_cli.terminal.places import at_home
from lotus_store.config import home_of


@click.command("kill")
@click.option("--flatten", is_flag=True, help="Also leave every position at the market.")
@click.option("--lift", is_flag=True, help="Take the switch back; what was left stays left.")
@at_home
def kill_command(flatten: bool, lift: bool, home: str | None, as_json: bool) -> None:
    """Open nothing from now on: a daemon that trades looks for this ten times a second, one that starts at once.

    The home must be that of the daemon; one that is not there is an error, for nothing would be stopped.
    """
    from lotus_desk.safety.kill_switch import KillSwitch

    if flatten and lift:
        raise click.UsageError("--flatten or --lift, not both")
    place = home_of(home)
    if not place.is_dir():
        raise ConfigError(f"there is no home at {place}", "the home of the daemon to be stopped", "--home is missing")
    switch = KillSwitch(place)
    try:
        if lift:
            switch.lift()
        else:
            switch.throw(flatten)
    except OSError as problem:
        raise ConfigError(
            f"the switch cannot be moved: {problem}", f"an empty file {switch.path}", "a disk or a right that is gone"
        ) from problem
    state = switch.state()
    emit({"state": state, "home": str(place)}, as_json, f"kill switch of {place}: {state}")
