"""Experiments: a body becomes lines by path, within bounds."""

from lotus_console.pages.experiments import DEEP, _flat, _summary


def test_a_body_becomes_lines_by_path() -> None:
    body = {"run": "x", "config": {"alpha": 0.04, "seeds": [7, 8]}, "slots": [{"year": 0}, {"year": 1}], "none": {}}
    assert _flat(body) == [
        ("run", "x"), ("config.alpha", "0.04"), ("config.seeds", "[7, 8]"), ("slots[0].year", "0"), 
        ("slots[1].year", "1"), ("none", "{}"),
    ]  # fmt: skip
    assert _summary(body).startswith("run x, config.alpha 0.04")
    assert _flat(3.5) == [("value", "3.5")]
    assert _flat(float("nan")) == [("value", "null")]


def test_a_deep_or_long_body_is_cut() -> None:
    deep: object = "end"
    for _ in range(100):
        deep = {"a": deep}
    ((path, value),) = _flat(deep)
    assert path.count(".") == DEEP - 1
    assert value.startswith('{"a":')
    assert len(_flat([[k] for k in range(1000)])) == 50
