"""`lotus lessons`: what is believed after a nightly run and why, in sentences, and what the nightly run refused.

Read from the ledger alone; nothing is judged here. Own files have `lotus learn`, one event has `lotus explain`.
"""

import click

from lotus_cli.terminal.output import emit
from lotus_cli.terminal.places import DAY, at_branch, settings_of_branch
from lotus_cli.terminal.tables import wide_option


@click.command("lessons")
@click.option(
    "--day", type=DAY, help="The nightly run of this day (default: the newest that accepted or refused something)."
)
@click.option("--detector", help="Only this detector's.")
@click.option("--refused", is_flag=True, help="Every refusal with its reason instead of their number.")
@wide_option
@at_branch
def lessons_command(
    day: str | None,
    detector: str | None,
    refused: bool,
    wide: bool,
    branch: str | None,
    home: str | None,
    as_json: bool,
) -> None:
    """Show what is believed after a nightly run and why: each lesson as a sentence, with its patch and its days left.

    Uplift is what the windows of a rule paid over what the score alone already told, net of costs, in bps. The bound is
    what is left of it after the search among all rules. With --wide the tables of Dagster's page follow.
    """
    from lotus_cli.look.lessons_page import page
    from lotus_store.facts.lessons import night_of

    settings = settings_of_branch(home, branch=branch)
    facts = night_of(settings, day, detector)
    emit(facts.as_json(), as_json, page(facts, refused, wide))
