"""Rows, names and maps to draw, and the texts of a picture."""

from matplotlib.backends.backend_agg import FigureCanvasAgg

from lotus.pictures.forest import ForestRow

ROWS = [
    ForestRow("refused & long " * 9, -1.0, -2.0, 0.1, 0.0, False, "refused"),
    ForestRow("found", 3.0, 2.0, 4.0, 1.0, True, "grade B"),
]
LONG = (
    "liquidation_cascade_reversal: x_imbalance_over_five_minutes_and_more >= 3 and "
    "x_regime_of_volatility_against_the_week = unusually calm and x_spread <= 1"
)


def texts_of(figure):
    """Return what is written, each with its box in the drawn picture, the picture's box, and what draws it."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    axes = figure.axes[0]
    written = [*figure.texts, *axes.texts, axes.xaxis.label, axes.yaxis.label]
    found = [(t.get_text(), t.get_window_extent(renderer)) for t in written if t.get_text()]
    return found, figure.bbox, renderer
