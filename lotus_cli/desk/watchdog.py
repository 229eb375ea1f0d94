"""`lotus watchdog`: the process that acts at the venue when the daemon cannot. It needs no database and no page."""

import click

from lotus_cli.terminal.output import emit
from lotus_cli.terminal.places import at_home
from lotus_cli.terminal.progress import Progress


@click.command("watchdog")
@click.option("--status", is_flag=True, help="Only say whether one watches this home, and what it saw last.")
@at_home
def watchdog_command(status: bool, home: str | None, as_json: bool) -> None:
    """Watch the desk of a home: cancel what opens when it is dead or hung, throw the kill switch, tell it loudly."""
    from lotus_desk.watch.alerts import Alerts, read_alerts
    from lotus_desk.watch.kept_settings import watched_settings
    from lotus_desk.watch.running import run_watchdog
    from lotus_desk.watch.status import watchdog_status
    from lotus_store.logs import begin_logging

    settings = watched_settings(home)
    begin_logging(settings.logs)
    if status:
        alerts = [f"{a.kind}: {a.found}; {a.done}" for a in read_alerts(Alerts(settings.home).path, 5)]
        emit({**watchdog_status(settings.home), "last_alerts": alerts}, as_json)
        return
    Progress(quiet=as_json)(f"watching {settings.home}; Ctrl-C ends")
    run_watchdog(settings)
