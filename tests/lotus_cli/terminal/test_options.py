"""Options of a command as one value: what goes into it, what stays an argument, and the help."""

from dataclasses import dataclass

import click
from click.testing import CliRunner

from lotus_cli.terminal.options import options_as


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is drawn."""

    name: str
    size: int


@click.command()
@click.argument("name")
@click.option("--size", type=int, default=3, show_default=True, help="How large.")
@click.option("--loud", is_flag=True)
@options_as(Drawn)
def draw(options: Drawn, loud: bool) -> None:
    """Draw NAME."""
    click.echo(f"{options} {loud}")


def test_options_are_gathered_and_others_stay_arguments() -> None:
    assert CliRunner().invoke(draw, ["sun", "--loud"]).output == "Drawn(name='sun', size=3) True\n"


def test_help_and_wrong_usages_are_those_of_the_command() -> None:
    text = CliRunner().invoke(draw, ["--help"]).output
    assert "Draw NAME." in text
    assert "How large.  [default: 3]" in text
    assert CliRunner().invoke(draw, ["sun", "--size", "many"]).exit_code == 2
