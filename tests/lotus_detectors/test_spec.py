"""A detector's file: what it says, what siblings change, and that every mistake is put at its line and column."""

from dataclasses import replace
from importlib import resources

import pytest

from lotus.detectors.spec import MAX_CHARACTERS, Parameter, parse_spec
from lotus.detectors.spec_triggers import suggested
from lotus.errors import ConfigError, ExpressionError
from lotus.hashing import natural_id
from lotus.triggers.checker import read_trigger

TEXT = """\
detector_id: drift
family: drift
version: 2
idea: A line
  and a half.
horizon: 30s
band: 20s..160s
best_phase_deg: 270
params:
  span: 6s
  floor: {value: 0.15, jitter: false}
  edge: 0.02%
frames:
  held: mean(imb_5, span)
  long: held > floor and
    ret_bps > edge
windows:
  usual: ema(abs(imbalance), 5m)
signal: |
  where(long,
    held / usual, 0)
"""


def error_of(old: str, new: str) -> ExpressionError:
    assert old in TEXT
    with pytest.raises(ExpressionError) as caught:
        parse_spec(TEXT.replace(old, new, 1), "drift.yaml")
    assert "drift.yaml" in str(caught.value)
    return caught.value


def test_what_a_file_says() -> None:
    spec = parse_spec(TEXT, "drift.yaml")
    assert (spec.detector_id, spec.version, spec.status, spec.idea) == (
        "drift",
        2,
        "experimental",
        "A line and a half.",
    )
    assert (spec.horizon_s, spec.band_s, spec.best_phase_deg) == (30, (20.0, 160.0), 270.0)
    assert spec.params == (
        Parameter("span", 6.0, "s"), Parameter("floor", 0.15, "1", False), Parameter("edge", 2.0, "bps"),
    )  # fmt: skip
    assert [p.value for p in spec.jittered(1.2).params] == pytest.approx([7.2, 0.15, 2.4])
    # by hand: columns imb_5, ret_bps, imbalance; consts floor, edge, 0; mean, gt, gt, and, abs, ema, div, where
    assert (spec.depth, spec.nodes) == (5, 14)


TRIGGERS = """\
triggers:
  long: touch(prev_high, 5bps) if spread_bps < 4
  short: cross(vwap, down)
"""


def test_triggers_are_proposed_by_side_and_shape_no_identity() -> None:
    plain, spec = parse_spec(TEXT, "drift.yaml"), parse_spec(TEXT + TRIGGERS, "drift.yaml")
    (long,) = suggested(spec.triggers, 0.2)
    assert read_trigger(long).text == long == read_trigger("touch(prev_high, 5bps) if spread_bps < 4").text
    assert suggested(spec.triggers, -0.2) == (read_trigger("cross(vwap, down)").text,)
    assert suggested(spec.triggers, 0.0) == suggested(plain.triggers, 0.2) == ()
    assert (spec.spec_id, repr(spec)) == (plain.spec_id, repr(plain))
    assert "triggers" not in plain.as_json()
    assert spec.as_json()["triggers"] == spec.triggers


def test_a_requirement_is_another_identity_and_its_absence_is_none() -> None:
    plain, spec = parse_spec(TEXT, "drift.yaml"), parse_spec(TEXT + "require: mx_confirm\n", "drift.yaml")
    assert (plain.require, spec.require) == ("", "mx_confirm")
    assert plain.spec_id != spec.spec_id == spec.jittered(1.0).spec_id
    assert (repr(spec), "require" in plain.as_json()) == (repr(plain), False)
    assert spec.as_json()["require"] == "mx_confirm"
    with pytest.raises(ConfigError, match="mx_confirm"):
        parse_spec(TEXT + "require: mx_evidence\n", "drift.yaml")


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("touch(entry)", 23, "the level entry"),
        ("adv_usd > 1e9", 23, "adv_usd"),
        ("touch(prev_high) if adv_usd > 1e9", 23, "adv_usd"),
        ("touch(prev_hi)", 23, "prev_hi"),
    ],
)
def test_a_trigger_that_no_plan_could_watch_is_refused_in_its_place(text: str, line: int, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_spec(TEXT + f"triggers:\n  long: {text}\n", "drift.yaml")
    assert says in str(caught.value)
    assert str(caught.value).startswith(f"line {line}, ")


MISTAKES = {
    "an unknown key": ("horizon: 30s", "horizont: 30s", "horizont", 6, 11, "horizon"),
    "a missing key": ("band: 20s..160s\n", "", "no key 'band'", 1, 1, ""),
    "a key twice": ("version: 2", "version: 2\nversion: 3", "twice", 4, 10, ""),
    "no version": ("version: 2", "version: 0", "version 0", 3, 10, ""),
    "a horizon without unit": ("horizon: 30s", "horizon: 30", "'30'", 6, 10, "30s"),
    "a band that falls": ("20s..160s", "160s..20s", "160 to 20", 7, 7, "rising"),
    "half a band": ("20s..160s", "20s", "'20s'", 7, 7, "20s..160s"),
    "a parameter that is no quantity": ("span: 6s", "span: 6x", "unit 'x'", 10, 10, ""),
    "a parameter's key": ("jitter: false", "jiter: false", "jiter", 11, 31, "jitter"),
    "a name that is a column": ("  usual:", "  vol:", "'vol' twice", 18, 8, "one meaning"),
    "a name of another section": ("  usual:", "  held:", "'held' twice", 18, 9, "one meaning"),
    "a name of the language": ("  span: 6s", "  mean: 6s", "'mean'", 10, 9, "no function"),
    "an unknown name in a frame": ("mean(imb_5, span)", "mean(imb5, span)", "imb5", 14, 14, "imb_5"),
    "a column of windows in a frame": ("mean(imb_5, span)", "mean(imbalance, span)", "imbalance", 14, 14, ""),
    "in the second line of a plain value": ("ret_bps > edge", "ret_bps > 2", "2 (no unit)", 16, 15, "2bps"),
    "in the third line of a block": ("held / usual", "held / usuel", "usuel", 21, 12, "usual"),
    "no syntax": ("abs(imbalance)", "abs(imbalance))", "unexpected", 18, 29, ""),
    "a window of three hours": ("ema(abs(imbalance), 5m)", "mean(imbalance, 3h)", "3h", 18, 26, "120m"),
    "a look ahead": ("ema(abs(imbalance), 5m)", "lag(imbalance, -5s)", "-5s", 18, 25, "look ahead"),
    "a signal with a unit": ("held / usual, 0)", "vol, 0)", "bps/sqrt(min)", 19, 9, ""),
    "a signal that is a flag": ("where(long,\n    held / usual, 0)", "long", "a flag", 19, 9, ""),
    "a name never used": ("  span: 6s", "  span: 6s\n  spare: 1", "never used", 11, 10, ""),
    "status": ("version: 2", "version: 2\nstatus: activ", "activ", 4, 9, "active"),
    "a phase": ("270", "up", "'up'", 8, 17, "a number"),
    "a name in capitals": ("detector_id: drift", "detector_id: Drift", "Drift", 1, 14, "small"),
}


@pytest.mark.parametrize("which", MISTAKES)
def test_mistakes_have_a_place(which: str) -> None:
    old, new, found, line, column, hint = MISTAKES[which]
    error = error_of(old, new)
    assert found in error.found
    assert (error.line, error.column) == (line, column), str(error)
    assert hint in f"{error.expected} {error.cause} {error.suggestion}"


def test_what_is_no_file_of_a_detector_is_refused() -> None:
    for text in (
        "",
        "- a",
        "a: [",
        "{",
        "a: " + "[" * 5_000,
        "- " * 8_000,
        " " * (MAX_CHARACTERS + 1),
        "&a [*a]",
        "\0",
    ):
        with pytest.raises(ConfigError, match="bad\\.yaml"):
            parse_spec(text, "bad.yaml")
    with pytest.raises(ConfigError, match="names"):
        parse_spec(TEXT.replace("params:\n", "params:\n" + "".join(f"  p{k}: 1\n" for k in range(70))), "x")


def test_shipped_files_are_read_as_they_are_written() -> None:
    for file in (resources.files("lotus.detectors") / "specs").iterdir():
        if file.name.endswith(".yaml"):
            spec = parse_spec(file.read_text("utf-8"), file.name)
            assert file.name == f"{spec.detector_id}.yaml"


@pytest.mark.parametrize(
    ("text", "style", "fallback"),
    [
        ("entry: join", "join", "cross"),
        ("entry: {style: improve, fallback: skip}", "improve", "skip"),
        ("entry: {style: join}", "join", "cross"),
    ],
)
def test_a_resting_entry_makes_another_version_and_crossing_the_same(text: str, style: str, fallback: str) -> None:
    plain, rests = parse_spec(TEXT, "drift.yaml"), parse_spec(f"{TEXT}{text}\n", "drift.yaml")
    assert (rests.entry.style, rests.entry.fallback) == (style, fallback)
    assert plain.entry.style == "cross"
    assert rests.spec_id != plain.spec_id
    assert parse_spec(f"{TEXT}entry: cross\n", "drift.yaml").spec_id == plain.spec_id
    assert rests.jittered(1.1).entry == rests.entry


def test_the_identity_of_a_spec_that_crosses_is_that_of_before_entries_had_a_style() -> None:
    spec = parse_spec(TEXT, "drift.yaml")
    before = repr(replace(spec, idea="", status=""))
    assert "entry" not in before
    assert spec.spec_id == natural_id("detector", before)


@pytest.mark.parametrize("text", ["entry: rest", "entry: {style: cross, fallback: skip}", "entry: {fallback: skip}"])
def test_an_entry_of_no_meaning_is_told_at_its_line(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_spec(f"{TEXT}{text}\n", "drift.yaml")
    assert f"line {TEXT.count(chr(10)) + 1}" in str(caught.value) or caught.value.line == TEXT.count("\n") + 1
