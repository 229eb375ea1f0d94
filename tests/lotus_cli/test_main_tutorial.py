"""The commands of README and tutorial exist, with every option, and none needs a word that one must guess."""

import re
import shlex
from pathlib import Path

import click
import pytest

from lotus_cli.main import main

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\]\(([^)#\s]+)")
OWN = {"FILE", "NAME", "DIR", "REPORT", "VERSION"}  # words for the reader's own files: nobody can name them for him


def commands(page: str) -> list[list[str]]:
    """Return the words of every `lotus` command in the shell blocks of a page."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    parts = [part for block in blocks for line in block.splitlines() for part in line.split("#")[0].split("&&")]
    return [shlex.split(part)[1:] for part in parts if part.strip().startswith(".venv/bin/lotus")]


def wrong(words: list[str]) -> str:
    """Return what of a command does not exist, empty when all of it does."""
    command: click.Command = main
    rest = list(words)
    while isinstance(command, click.Group):
        name = rest.pop(0) if rest else ""
        found = command.get_command(click.Context(command), name)
        if found is None:
            return f"no command {name!r}"
        command = found
    options = {name: p for p in command.params if isinstance(p, click.Option) for name in (*p.opts, *p.secondary_opts)}
    positional = 0
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            positional += 1
        elif word not in options:
            return f"no option {word}"
        elif not options[word].is_flag:
            rest.pop(0)
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    most = sum(p.nargs if p.nargs > 0 else 99 for p in arguments)
    least = sum(1 for p in arguments if p.required)
    return "" if least <= positional <= most else f"{positional} arguments, not {least} to {most}"


@pytest.mark.parametrize(("page", "least"), [("README.md", 20), ("docs/tutorial.md", 15)])
def test_every_command_is_there(page: str, least: int) -> None:
    found = commands(page)
    assert len(found) >= least
    assert {" ".join(words): wrong(words) for words in found if wrong(words)} == {}


def test_the_tutorial_has_values_and_not_placeholders() -> None:
    assert [
        words for words in commands("docs/tutorial.md") if any(word.isupper() and len(word) > 1 for word in words)
    ] == []
    left = {word for words in commands("README.md") for word in words if re.fullmatch(r"[A-Z_]{2,}", word)}
    assert left <= OWN


def test_what_does_not_exist_is_found() -> None:
    for words in (["nosuch"], ["review", "list", "--nosuch"], ["explain"], ["detector", "new", "a", "b"]):
        assert wrong(words)


@pytest.mark.parametrize("page", ["README.md", "docs/tutorial.md"])
def test_links_lead_somewhere(page: str) -> None:
    links = [x for x in LINK.findall((ROOT / page).read_text(encoding="utf-8")) if "://" not in x]
    assert len(links) > 5
    assert [link for link in links if not ((ROOT / page).parent / link).exists()] == []


def test_the_picture_of_the_readme_is_small() -> None:
    assert (ROOT / "docs" / "pictures" / "lessons.png").stat().st_size < 250_000
