"""`lotus modules`: what differs between manifests, code and live databases, and the pages written from them."""

from pathlib import Path

import click

from lotus_cli.terminal.output import CHECK_FAILED, emit, explained, json_option
from lotus_cli.terminal.places import at_home, settings_of


@click.group("modules")
def modules_command() -> None:
    """Compare modules with their manifests, or write the pages of the manifests."""


@modules_command.command("check")
@click.option("--offline", is_flag=True, help="Compare files and code only, no database.")
@at_home
def check(offline: bool, home: str | None, as_json: bool) -> None:
    """Print every difference between manifests, code and live databases; exit 1 when there is one."""
    from lotus_modules.handlers import handler_names
    from lotus_store.databases import Databases
    from lotus_store.manifests.check import differences

    with Databases(settings_of(home)) as databases:
        gaps = differences(handler_names(), None if offline else databases)
    text = "\n".join(gaps) or "manifests, code and databases agree"
    emit({"differences": gaps, "agree": not gaps}, as_json, text)
    raise SystemExit(CHECK_FAILED if gaps else 0)


@modules_command.command("docs")
@click.option("--write", is_flag=True, help="Write the files that differ.")
@click.option("--folder", type=click.Path(path_type=Path), default=Path("docs/reference"), show_default=True)
@json_option
@explained
def docs(write: bool, folder: Path, as_json: bool) -> None:
    """Compare the pages and JSON Schemas with the manifests, or write them; exit 1 for a page that differs."""
    from lotus_modules.handlers import handler_names
    from lotus_store.files import write_bytes
    from lotus_store.manifests.pages import pages

    stale = [
        (folder / path, text)
        for path, text in pages(handler_names()).items()
        if not (folder / path).is_file() or (folder / path).read_text(encoding="utf-8") != text
    ]
    for path, text in stale if write else ():
        write_bytes(path, text.encode())
    names = [str(path) for path, _ in stale]
    emit({"written" if write else "differ": names}, as_json, "\n".join(names) or "all pages are those of the manifests")
    raise SystemExit(CHECK_FAILED if stale and not write else 0)
