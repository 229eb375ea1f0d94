"""The small line plot: one polyline a run of finite values, a legend with the range, nothing that breaks the page."""

from lotus_assets.pages.plot import plot_markdown, svg
from lotus_assets.stages.context import Plot


def test_nulls_break_a_line_and_the_legend_names_the_range() -> None:
    text = svg(Plot("a < b", {"mid": [1.0, 2.0, float("nan"), 3.0]}))
    assert text.count("<polyline") == 2
    assert "mid 1 to 3" in text
    assert "a &lt; b" in text


def test_a_series_without_a_value_is_only_named() -> None:
    assert "<polyline" not in svg(Plot("empty", {"mid": [float("nan")]}))
    assert plot_markdown(Plot("empty", {})).startswith("![empty](data:image/svg+xml;base64,")
