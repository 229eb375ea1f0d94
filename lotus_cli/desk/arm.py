"""`lotus arm`: the typed confirmation that real orders need. It shows what is at risk and asks for one sentence."""

import click

from lotus_cli.terminal.output import CHECK_FAILED, explained
from lotus_cli.terminal.places import branch_option, home_option, settings_of
from lotus_store.config import Settings


@click.command("arm")
@click.option("--account", required=True, help="Name of the account, as its files in keys/venue say it.")
@click.option("--lift", is_flag=True, help="Take the arming back; nothing is opened there after a minute.")
@branch_option
@home_option
@explained
def arm_command(account: str, lift: bool, branch: str | None, home: str | None) -> None:
    """Check everything that real orders need, show what is at risk, and arm an account for some days."""
    from lotus_desk.safety.arming import disarm

    settings = settings_of(home, branch=branch)
    if lift:
        disarm(settings.home, account)
        click.echo(f"{account} is not armed")
        return
    _arm(settings, account)


def _arm(settings: Settings, account: str) -> None:
    from lotus.timebase import DAY_MS
    from lotus_desk.safety.arming import Arming, arm, sentence, wall_ms
    from lotus_desk.safety.gate_facts import gate_faults, terms_of
    from lotus_desk.watch.sessions import venue_url
    from lotus_store.databases import Databases

    url = venue_url(settings)
    with Databases(settings) as databases:
        faults, (facts,) = gate_faults(settings, databases, url, [account], armed=False)
    for fault in faults:
        click.echo(str(fault), err=True)
    if faults or facts.caps is None:
        click.echo(f"{account} is not armed: {len(faults)} reasons", err=True)
        raise SystemExit(CHECK_FAILED)
    caps = facts.caps
    sizes = ", ".join(f"{coin} {size}" for coin, size in caps.max_size.items())
    click.echo(
        f"account   {account} {facts.address} at {url}\n"
        f"equity    {facts.equity_usd} USD, all of which can be lost\n"
        f"caps      {caps.max_order_usd} USD an order, {caps.max_open_usd} open, {caps.max_day_usd} a day; {sizes}\n"
        f"agents    desk {facts.key_address}, watchdog {facts.watchdog_address}\n"
        f"until     {settings.safety.armed_days} days from now, or any change of caps, settings, keys or release"
    )
    wanted = sentence(account, facts.address, caps.max_open_usd)
    typed = click.prompt(f"To arm it, type exactly:\n{wanted}\n", prompt_suffix="> ")
    if typed != wanted:
        click.echo(f"{account} is not armed: found another sentence", err=True)
        raise SystemExit(CHECK_FAILED)
    until_ms = wall_ms() + settings.safety.armed_days * DAY_MS
    arm(settings.home, Arming(account, facts.address, until_ms, terms_of(settings, facts, url), str(facts.equity_usd)))
    click.echo(f"{account} is armed for {settings.safety.armed_days} days")
