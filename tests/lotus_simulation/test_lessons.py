"""The null world is the demo without what is planted, the styles world the demo with somewhere to rest."""

from dataclasses import replace

from lotus.simulation.layout import At
from lotus.simulation.lessons import WORLDS, planted_of, style_of
from lotus.simulation.market import DEAD
from lotus.simulation.spec import WorldSpec
from lotus.simulation.world import World

SPEC = WorldSpec("demo", 5, 2, sessions=(("08:00", "08:20"), ("14:00", "14:20")))


def test_the_null_world_is_the_demo_without_what_is_planted() -> None:
    demo, null = World(SPEC).span(0, 0), World(replace(SPEC, name="null")).span(0, 0)
    assert any(p.rule for p in demo.planted)
    assert not any(p.rule for p in null.planted)
    assert [p.episode for p in demo.planted] == [p.episode for p in null.planted]
    assert not null.drift.any()
    assert (demo.path[:, :, 2:] == null.path[:, :, 2:]).all()
    assert planted_of("null") == ((), ())


def test_the_styles_world_is_the_demo_but_for_who_meets_an_order_at_rest() -> None:
    world = World(replace(SPEC, name="styles"))
    demo, styles = World(SPEC).span(0, 0), world.span(0, 0)
    others = [column for column in At if column not in (At.QUIET, At.BID, At.SPREAD)]
    assert (demo.path[:, :, others] == styles.path[:, :, others]).all()
    assert (demo.drift == styles.drift).all()
    is_steep = styles.path[:, :, At.STEEP] == 1
    assert 0.2 < is_steep.mean() < 0.7
    assert (styles.path[:, :, At.QUIET][~is_steep] == DEAD).all()
    assert (styles.path[:, :, At.QUIET][is_steep] == demo.path[:, :, At.QUIET][is_steep]).all()
    assert world.manifest["style"]["literals"] == [{"feature": "depth_slope", "low": 3, "high": 4}]
    assert "style" not in World(SPEC).manifest
    assert {name: style_of(name) is not None for name in WORLDS} == {"demo": False, "null": False, "styles": True}
