"""`lotus card`: the newest stored card of a detector, or its specification while no day is committed."""

import re
from dataclasses import asdict
from itertools import groupby
from typing import Any

import click

from lotus.errors import ConfigError
from lotus_cli.terminal.output import emit
from lotus_cli.terminal.places import COUNT, at_branch, require_branch, settings_of
from lotus_cli.terminal.tables import markdown


@click.command("card")
@click.argument("detector_id", required=False)
@click.option("--version", type=COUNT, help="Version of the specification (default: the newest).")
@at_branch
def card_command(
    detector_id: str | None, version: int | None, branch: str | None, home: str | None, as_json: bool
) -> None:
    """Show the newest card of one detector, or the names of all; `card` of --json is the page as Markdown.

    Before the first committed day of the branch the card is the specification alone.
    """
    from lotus.detectors.cards.card import static_card
    from lotus.detectors.registry import scored_detectors
    from lotus_store.lake import Lake

    settings = settings_of(home, branch=branch)
    specs = {d.detector_id: d for d in scored_detectors(settings.manifest)}
    if detector_id is None:
        emit({name: f"{d.family} v{d.version}, decides over {d.horizon_s} s" for name, d in specs.items()}, as_json)
        return
    if detector_id in specs:
        require_branch(settings)
    stored = _stored(Lake(settings.lake_root), settings.branch, detector_id)
    spec = specs.get(detector_id)
    if spec is not None and spec.version not in stored:
        stored[spec.version] = {"card": static_card(spec)}
    wanted = max(stored, default=0) if version is None else version
    if wanted not in stored:
        what = detector_id if version is None else f"{detector_id} v{version}"
        there = [f"version {number}" for number in sorted(stored)] or specs
        raise ConfigError(f"there is no card of {what} on branch {settings.branch}", f"one of {', '.join(there)}")
    shipped = asdict(spec) if spec is not None and spec.version == wanted else {}
    row = stored[wanted]
    emit(
        {"detector_id": detector_id, "spec_version": wanted, **shipped, **row}, as_json, markdown(_merged(row["card"]))
    )


def _merged(text: str) -> str:
    """Return a Markdown page in which rows of days in a row that say the same are one row, from the first to the last.

    >>> print(_merged("| 2026-01-05 | - |\\n| 2026-01-06 | - |\\n| 2026-01-07 | 0.5 |"))
    | 2026-01-05 to 2026-01-06 | - |
    | 2026-01-07 | 0.5 |
    """
    lines: list[str] = []
    for (words, row), group in groupby(map(_parted, text.splitlines()), key=lambda parts: (parts[1], bool(parts[0]))):
        days = [day for day, _ in group]
        if row:
            lines.append(f"| {days[0]}{f' to {days[-1]}' if len(days) > 1 else ''} | {words}")
        else:
            lines += [words] * len(days)
    return "\n".join(lines)


def _parted(line: str) -> tuple[str, str]:
    """Return the day that a row of a table begins with and its rest; any other line is all rest."""
    match = re.fullmatch(r"\| (\d{4}-\d\d-\d\d) \| (.*)", line)
    return (match[1], match[2]) if match else ("", line)


def _stored(lake: Any, branch: str, detector_id: str) -> dict[int, dict[str, Any]]:
    """Return the newest stored rows of one detector by version, each with its day."""
    from lotus.detectors.cards.card_table import DETECTOR_CARDS

    days = lake.days(DETECTOR_CARDS.name, branch)
    if not days:
        return {}
    rows = lake.read(DETECTOR_CARDS.name, branch, days[-1])
    places = [k for k, name in enumerate(rows["detector_id"].tolist()) if name == detector_id]
    picked = ({name: values[k : k + 1].tolist()[0] for name, values in rows.items()} for k in places)
    return {int(row["spec_version"]): {"day": days[-1], **row} for row in picked}
