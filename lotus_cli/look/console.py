"""`lotus console`: the pages by themselves, without Dagster's."""

import os
import secrets

import click

from lotus_cli.terminal.output import explained
from lotus_cli.terminal.places import PORT, branch_option, home_option, require_branch, settings_of


@click.command("console")
@click.option("--port", type=PORT, default=8000, show_default=True, help="Port of the pages on 127.0.0.1.")
@branch_option
@home_option
@explained
def console_command(port: int, branch: str | None, home: str | None) -> None:
    """Serve the console: what is believed and why, what was refused, live state and acts; Ctrl-C stops it."""
    settings = settings_of(home, branch=branch)
    require_branch(settings)
    from lotus_console.serving import serve

    token = os.environ.get("LOTUS_PAGES_TOKEN") or secrets.token_urlsafe(24)
    click.echo(f"console http://127.0.0.1:{port}/?token={token} (Ctrl-C stops it)")
    serve(settings, port, token)
