"""`lotus kill`: the kill switch of a home. A file, so that it works with the database and every page down."""

import click

from lotus.errors import ConfigError
from lotus_cli.output import emit, explained, json_option
from lotus_cli.places import home_option, settings_of


@click.command("kill")
@click.option("--flatten", is_flag=True, help="Also leave every position at the market.")
@click.option("--lift", is_flag=True, help="Take the switch back; what was left stays left.")
@home_option
@json_option
@explained
def kill_command(flatten: bool, lift: bool, home: str | None, as_json: bool) -> None:
    """Open nothing from now on: a daemon that trades looks for this ten times a second, one that starts at once.

    The home must be that of the daemon; one that is not there is an error, for nothing would be stopped.
    """
    from lotus_live.trade.kill_switch import KillSwitch

    place = settings_of(home).home.resolve()
    if not place.is_dir():
        raise ConfigError(f"there is no home at {place}", "the home of the daemon to be stopped", "--home is missing")
    switch = KillSwitch(place)
    if lift:
        switch.lift()
    else:
        switch.throw(flatten)
    state = switch.state()
    emit({"state": state, "home": str(place)}, as_json, f"kill switch of {place}: {state}")
