"""A figure without global state, and its two forms: SVG text for a page that works offline, PNG as a data address.

Equal numbers give equal text: identifiers inside an SVG come from a fixed salt and no date is written.
"""

import base64
import io
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE_SIZE, _LINE_INCHES = 10.0, 0.17  # points, inches of a line of it
_SLACK: Final = 1.06  # a browser without the font of the picture takes another one, a little wider
GOOD, BAD, MUTED, LINE = "#1b7837", "#b2182b", "#8c8c8c", "#2166ac"
_SALT: Final = "lotus"
_SETTINGS: Final = {
    "svg.fonttype": "none",
    "svg.hashsalt": _SALT,
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def blank(width: float, height: float) -> "tuple[Figure, Axes]":
    """Return a figure of so many inches and its one set of axes."""
    figure, axes = panels(width, height, 1)
    return figure, axes[0]


def panels(width: float, height: float, n: int) -> "tuple[Figure, list[Axes]]":
    """Return a figure with n sets of axes above each other that share the horizontal one."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, list(figure.subplots(n, 1, sharex=True, squeeze=False)[:, 0])


def literal(text: str) -> str:
    """Return a text of the user's as it is to be drawn: a dollar sign begins no formula."""
    return text.replace("$", r"\$")


def entitle(axes: "Axes", text: str) -> None:
    """Write the title of a figure over its whole width, from the left; the figure grows by lines beyond the first."""
    figure = axes.get_figure(root=True)
    if figure is not None:
        lines = fitted(text, figure.get_figwidth() - 0.15, TITLE_SIZE)
        figure.set_figheight(figure.get_figheight() + _LINE_INCHES * (len(lines) - 1))
        figure.suptitle(literal("\n".join(lines)), x=0.015, ha="left", fontsize=TITLE_SIZE)


def fitted(text: str, inches: float, size: float) -> list[str]:
    """Return the lines of a rule's name: broken before `and` and after a colon, never inside a condition.

    A part that is wider than `inches` in a font of `size` points loses its middle.
    """
    lines = [""]
    for part in re.split(r"(?<=:) | (?=and )", text):
        longer = f"{lines[-1]} {part}".lstrip()
        if inches_of(longer, size) <= inches:
            lines[-1] = longer
        else:
            lines.append(shortened(part, inches, size))
    return [line for line in lines if line] or [""]


def shortened(text: str, inches: float, size: float) -> str:
    """Return a text without its middle where it is wider than that in a font of `size` points."""
    kept, out = len(text), text
    while kept > 4 and inches_of(out, size) > inches:
        kept -= 1
        out = f"{text[: (kept + 1) // 2]}...{text[len(text) - kept // 2 :]}"
    return out


def inches_of(text: str, size: float) -> float:
    """Return the width of a text in the font of the pictures, with a little slack."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    width, _, _ = text_to_path.get_text_width_height_descent(text, FontProperties(size=size), ismath=False)
    return float(width) / 72.0 * _SLACK


def svg(figure: "Figure") -> str:
    """Return the figure as one `<svg>` element that names no other resource."""
    import matplotlib

    out = io.StringIO()
    with matplotlib.rc_context(_SETTINGS):
        figure.savefig(out, format="svg", metadata={"Date": None})
    text = re.sub(r"<metadata>.*?</metadata>", "", out.getvalue(), flags=re.DOTALL)
    return text[text.index("<svg") :]


def png(figure: "Figure") -> bytes:
    """Return the figure as the bytes of a PNG, 100 dots per inch."""
    import matplotlib

    out = io.BytesIO()
    with matplotlib.rc_context(_SETTINGS):
        figure.savefig(out, format="png", dpi=100, metadata={"Software": None})
    return out.getvalue()


def png_markdown(title: str, figure: "Figure") -> str:
    """Return the figure as a Markdown image that carries its own bytes."""
    return f"![{title}](data:image/png;base64,{base64.b64encode(png(figure)).decode()})"
