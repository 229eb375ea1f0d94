"""`lotus console`: the pages by themselves, without Dagster's."""

import ipaddress
import os
import secrets
from pathlib import Path

import click

from lotus.errors import ConfigError
from lotus_cli.terminal.output import explained
from lotus_cli.terminal.places import PORT, branch_option, home_option, require_branch, settings_of, tape_option

TOKEN_ENV = "LOTUS_PAGES_TOKEN"


@click.command("console")
@click.option("--port", type=PORT, default=8000, show_default=True, help="Port of the pages.")
@click.option("--host", "address", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--name", "names", multiple=True, help="A further name by which browsers may ask (repeatable).")
@click.option(
    "--token-file", type=click.Path(dir_okay=False, path_type=Path), help="File with the token, of mode 0600."
)
@click.option("--proxy", default="", help="Address of a proxy that says who asks.")
@click.option("--proxy-header", default="", help="Header in which that proxy says it.")
@branch_option
@tape_option
@home_option
@explained
def console_command(
    port: int,
    address: str,
    names: tuple[str, ...],
    token_file: Path | None,
    proxy: str,
    proxy_header: str,
    branch: str | None,
    tape: str | None,
    home: str | None,
) -> None:
    """Serve the console: what is believed and why, what was refused, live state and acts; Ctrl-C stops it.

    Without options it listens on loopback and prints its address with a token. At any other address it needs a token
    file, or a proxy that lets people in.
    """
    is_loopback = _address(address, "--host").is_loopback
    if bool(proxy) != bool(proxy_header):
        raise click.UsageError("--proxy and --proxy-header belong together")
    if not (is_loopback or token_file or proxy):
        found = f"--host {address} without --token-file or --proxy"
        raise ConfigError(found, "one of them", "everybody who reaches this address would read everything")
    token = _token(token_file, proxy)
    settings = settings_of(home, tape, branch)
    require_branch(settings)
    from lotus_console.access.door import Entry, Proxy, hosts_of
    from lotus_console.serving import serve
    from lotus_store.private import name_of_home

    trusted = Proxy(str(_address(proxy, "--proxy")), proxy_header) if proxy else None
    own = () if _address(address, "--host").is_unspecified else (f"[{address}]" if ":" in address else address,)
    shown = "" if token_file or not token else f"/?token={token}"
    name = name_of_home(settings.home)
    place = f"{own[0] if own else '127.0.0.1'}:{port}"
    if address in ("127.0.0.1", "::1"):
        click.echo(f"console http://{name}:{port}{shown} (or http://{place}/; Ctrl-C stops it)")
    else:
        click.echo(f"console http://{place}{shown} (Ctrl-C stops it)")
    serve(settings, Entry(port, token, hosts_of(port, name, *own, *names), trusted), address)


def _token(file: Path | None, proxy: str) -> str:
    """Return the token that lets in: of a file, of the environment, or a new one; "" where a proxy does."""
    from lotus.loopback import check_token
    from lotus_console.access.token_file import read_token

    if file:
        return read_token(file)
    if proxy:
        return ""
    token = os.environ.get(TOKEN_ENV) or secrets.token_urlsafe(24)
    check_token(token, TOKEN_ENV)
    return token


def _address(text: str, option: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError as error:
        raise click.UsageError(f"{option} is {text!r}; expected an address, as 127.0.0.1 or ::1") from error
