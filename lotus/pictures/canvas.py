"""A figure without global state, and its two forms: SVG text for a page that works offline, PNG as a data address.

Equal numbers give equal text: identifiers inside an SVG come from a fixed salt and no date is written.
"""

import base64
import io
import re
import textwrap
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

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


def entitle(axes: "Axes", text: str, width: int) -> None:
    """Write the title of some axes, wrapped to `width` characters, from the left."""
    axes.set_title(literal(textwrap.fill(text, width)), loc="left", fontsize=10.0)


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
