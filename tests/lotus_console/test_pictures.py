"""Pictures in SVG: texts are escaped, places lie inside, what is not measured breaks the line."""

import math
import re

from lotus_console.pictures import CHART_H, CHART_W, LoomNode, layers, line_chart, scale_over, step_bar

HOSTILE = "</text><script>alert(1)</script>"


def test_nodes_in_layers_are_escaped_and_lines_join_only_what_is_there() -> None:
    nodes = [LoomNode("a", 0, HOSTILE, HOSTILE, place="/x?a=1&b=2"), LoomNode("b", 1, "b", "b", acts=False)]
    drawn = layers(nodes, [("a", "b"), ("a", "gone")], HOSTILE)
    assert "<script>" not in drawn
    assert len(re.findall(r'class="edge', drawn)) == 1
    assert 'class="edge off"' in drawn, "one end does not act"


def test_a_line_stays_inside_and_breaks_where_nothing_was_measured() -> None:
    drawn = line_chart([1.0, math.nan, 3.0, 2.0, math.inf, -1.0], "mid", "USD")
    path = re.findall(r'd="([^"]+)"', drawn)[0]
    assert path.count("M") == 3
    for x, y in re.findall(r"[ML]([-0-9.]+) ([-0-9.]+)", path):
        assert 0.0 <= float(x) <= CHART_W
        assert 0.0 <= float(y) <= CHART_H
    assert "not measured" in line_chart([1.0, math.nan], "mid", "USD")


def test_a_step_begins_and_ends_on_the_scale_and_a_scale_is_never_empty() -> None:
    low, high = scale_over([2.0, 2.0, math.nan])
    assert low < 2.0 < high
    assert scale_over([]) == (-1.0, 1.0)
    assert 'class="step good"' in step_bar(-1.0, 1.0, (-1.0, 1.0))
    assert step_bar(math.nan, 1.0, (0.0, 1.0)) == ""
