"""Tables and Markdown for people: never wider than the terminal, plain text where standard output is none.

What a table says belongs to the commands. A table puts what matters first: the last columns go when there is no room.
"""

import io
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import Console, RenderableType

PIPED = 120  # characters of a line where nobody says how wide it may be
NARROWEST = 40
GAP = 2  # between columns

wide_option = click.option("--wide", is_flag=True, help="Show every column and line, however wide and long.")
picture_option = click.option(
    "--picture", type=click.Path(dir_okay=False, path_type=Path), help="Also write a picture into a file, .svg or .png."
)


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column: words to the left, numbers to the right.

    A text with `least` above 0 is folded over several lines rather than left out, down to so many characters.
    """

    title: str
    right: bool = False
    least: int = 0


def numbers(*titles: str) -> tuple[TableColumn, ...]:
    """Return columns whose cells stand to the right."""
    return tuple(TableColumn(title, right=True) for title in titles)


def width() -> int:
    """Return how many characters a line may have."""
    return max(NARROWEST, shutil.get_terminal_size().columns) if sys.stdout.isatty() else PIPED


def table(columns: Sequence[TableColumn], rows: Sequence[Sequence[str]], wide: bool = False) -> str:
    """Return rows under their columns; those that find no room are named below, unless `wide`."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    whole = [max(map(len, [c.title, *(row[k] for row in rows)])) for k, c in enumerate(columns)]
    least = whole if wide else [min(n, c.least or n) for n, c in zip(whole, columns, strict=True)]
    room = sum(whole) + GAP * len(whole) if wide else width()
    kept = len(columns)
    while kept > 1 and sum(least[:kept]) + GAP * (kept - 1) > room:
        kept -= 1
    spare = max(0, room - sum(least[:kept]) - GAP * (kept - 1))
    out = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0))
    for k, column in enumerate(columns[:kept]):
        more = min(spare, whole[k] - least[k])
        spare -= more
        out.add_column(
            Text(column.title), justify="right" if column.right else "left", overflow="fold", width=least[k] + more
        )
    for row in rows:
        out.add_row(*map(Text, row[:kept]))
    hidden = [column.title for column in columns[kept:]]
    if not hidden:
        return _drawn(out, room)
    return f"{_drawn(out, room)}\n" + folded(f"(--wide also shows: {', '.join(hidden)})", " ")


def between(interval: tuple[float, float] | None) -> str:
    """Return an interval in words."""
    return "no interval" if interval is None else f"{interval[0]:+.2f} to {interval[1]:+.2f}"


def markdown(text: str) -> str:
    """Return a Markdown page as a terminal shows it."""
    from rich.markdown import Markdown

    return _drawn(Markdown(text, hyperlinks=False), width())


def folded(text: str, indent: str = "") -> str:
    """Return a text as lines of the terminal's width, at most 120, each but the first behind `indent`."""
    import textwrap

    return textwrap.fill(text, min(width(), PIPED), subsequent_indent=indent, break_long_words=False)


def write_picture(path: Path, figure: "Figure") -> None:
    """Write a figure in the form that the file's name asks for; another ending is wrong usage."""
    from lotus.pictures.canvas import png, svg

    if path.suffix not in (".svg", ".png"):
        raise click.UsageError(f"--picture: found {path.name}; expected a name that ends with .svg or .png")
    path.write_bytes(png(figure) if path.suffix == ".png" else svg(figure).encode())


def fitted(text: str, indent: str = "    ") -> str:
    """Return a page whose lines that are too long are folded, each rest behind `indent`."""
    return "\n".join(folded(line, indent) if len(line) > width() else line for line in text.splitlines())


def _console(room: int) -> "Console":
    from rich.console import Console

    terminal = sys.stdout.isatty()
    return Console(
        file=io.StringIO(), width=room, force_terminal=terminal, color_system="auto" if terminal else None,
        highlight=False, emoji=False, markup=False, legacy_windows=False,
    )  # fmt: skip


def _drawn(what: "RenderableType", room: int) -> str:
    console = _console(room)
    with console.capture() as caught:
        console.print(what)
    return "\n".join(line.rstrip() for line in caught.get().splitlines())
