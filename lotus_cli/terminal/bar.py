"""The one line at the foot of a terminal that shows the work at hand; other lines are printed above it.

Standard output is never touched. What the line says is `progress`'s. (Literature: `rich.live`.)
"""

from collections.abc import Callable

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Column, Table
from rich.text import Text

WIDTH = 16
Row = Callable[[], tuple[str, float | None, str]]


class LiveBar:
    """Draws what `row` returns (name, share or None, state) four times a second until `end`."""

    def __init__(self, row: Row) -> None:
        self._row = row
        self._spinner = Spinner("line")
        console = Console(stderr=True, force_terminal=True)
        self._live = Live(
            console=console, get_renderable=self._table, refresh_per_second=4, transient=True, redirect_stdout=False
        )
        self._live.start()

    def line(self, text: str) -> None:
        """Print a line above the bar."""
        self._live.console.print(Text(text), soft_wrap=True)

    def end(self) -> None:
        """Take the bar away and leave the terminal as it was."""
        self._live.stop()

    def _table(self) -> Table:
        name, share, state = self._row()
        columns = [Column(no_wrap=True, overflow="crop") for _ in range(4)]
        table = Table.grid(*columns, padding=(0, 1))
        bar = Text("") if share is None else ProgressBar(1.0, share, WIDTH)
        table.add_row(self._spinner, Text(name), bar, Text(state))
        return table
