"""`lotus brief`: the day on a page, for a terminal or as one HTML file that a mail program shows."""

from pathlib import Path

import click

from lotus_cli.terminal.output import emit
from lotus_cli.terminal.places import DAY, at_tape, branch_option, settings_of_branch
from lotus_cli.terminal.tables import markdown


@click.command("brief")
@click.option("--day", type=DAY, help="The nightly run of this day (default: the newest).")
@click.option(
    "--html", "page", type=click.Path(dir_okay=False, path_type=Path), help="Also write the page, for a mail."
)
@click.option("--week", is_flag=True, help="Also a line for each nightly run of the seven days to it.")
@branch_option
@at_tape
def brief_command(
    day: str | None,
    page: Path | None,
    week: bool,
    branch: str | None,
    tape: str | None,
    home: str | None,
    as_json: bool,
) -> None:
    """Show beliefs in force, refusals with the number that failed, money with beliefs and without, data, alarms.

    The first table is a checklist: each line is ok, to look at, or to act on, with the command that shows more.
    """
    from lotus_desk.watch.guards import guards_of
    from lotus_store import files
    from lotus_store.facts.brief import page as brief_page
    from lotus_store.facts.brief.day import brief_of

    settings = settings_of_branch(home, tape, branch)
    facts = brief_of(settings, day, guards_of(settings.home), week)
    if page is not None:
        files.write_bytes(page.absolute(), brief_page.html(facts).encode())
    emit(facts.as_json(), as_json, markdown(brief_page.markdown(facts)))
