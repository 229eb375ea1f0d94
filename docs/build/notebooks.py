"""The notebooks of `examples/`: read, run, and written as pages with what each cell shows.

A notebook is a Python file in cells (`# %%`, text in `# %% [markdown]`), as Jupytext, VS Code and PyCharm read it; it
is kept without outputs. A cell shows what it prints, and the value of its last line as a notebook does: HTML, a
picture, or text.
"""

import ast
import contextlib
import html
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
_CELL = re.compile(r"^# %%( \[markdown\])?\n", re.M)
_STYLE = re.compile(r"<style.*?</style>", re.S)


@dataclass(frozen=True, slots=True)
class Cell:
    """Text in Markdown, or code."""

    is_text: bool
    source: str


def notebooks() -> list[Path]:
    """Return the notebooks, by name."""
    return sorted(path for path in EXAMPLES.glob("*.py") if path.read_text("utf-8").startswith("# %% [markdown]\n"))


def cells(whole: str) -> list[Cell]:
    """Return the cells of a notebook."""
    parts = _CELL.split(whole)[1:]
    out = []
    for mark, source in zip(parts[::2], parts[1::2], strict=True):
        lines = source.strip("\n").split("\n")
        stripped = [line.removeprefix("#").removeprefix(" ") for line in lines] if mark else lines
        out.append(Cell(bool(mark), "\n".join(stripped)))
    return out


def run(path: Path) -> Iterator[tuple[Cell, str]]:
    """Run a notebook and yield each cell with what it shows, as Markdown; raises what a cell raises, with its line."""
    names: dict[str, Any] = {"__name__": "__main__"}
    text = path.read_text("utf-8")
    at = 1
    for cell in cells(text):
        if cell.is_text:
            yield cell, ""
            continue
        at = text.count("\n", 0, text.index(cell.source)) + 1
        yield cell, _shown(cell.source, names, str(path), at)


def page(path: Path) -> str:
    """Return a notebook, run, as a page in Markdown."""
    parts = []
    for cell, shown in run(path):
        parts.append(cell.source if cell.is_text else f"```python\n{cell.source}\n```")
        parts += [shown] if shown else []
    return "\n\n".join(parts) + "\n"


def _shown(source: str, names: dict[str, Any], file: str, line: int) -> str:
    tree = ast.increment_lineno(ast.parse(source), line - 1)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed, value = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, file, "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), file, "eval"), names)
    text = printed.getvalue()
    return "\n\n".join(part for part in (_block(text) if text else "", "" if value is None else _value(value)) if part)


def _value(value: object) -> str:
    for name in ("_repr_html_", "_repr_svg_"):
        if (rendered := getattr(value, name, None)) is not None:
            drawn = _STYLE.sub("", str(rendered()))
            drawn = drawn[drawn.find("<svg") :] if name == "_repr_svg_" else drawn
            return f'<div class="shown" style="overflow-x: auto">{" ".join(drawn.split())}</div>'
    return _block(repr(value))


def _block(text: str) -> str:
    return f"<pre>{html.escape(text.rstrip())}</pre>".replace("\n\n", "\n&#8203;\n")
