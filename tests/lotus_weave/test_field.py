"""Field braids: global bounds move by what many detectors and assets show alike."""

from weave_boards import MANIFEST, NIGHT_MS, WEAVE, braid, day_of, monitor, rows

from lotus.learning.rows import DetectorRows
from lotus.priors.knobs import knob_values
from lotus.priors.types import EXPLORATION, Knob, priors_version
from lotus.timebase import DAY_MS
from lotus.weave.field import field_braids, patterns, weekly
from lotus.weave.night import NightInputs, weave_night
from lotus.weave.watchdog import Evidence

DAY = "2026-01-18"


def _three(effect):
    def of(bins):
        return effect * (bins[:, 7] <= 1)

    return of


def _two_detectors(effect: float, **changes: object):
    board = [braid("x", **changes), braid("y", detector_id="e", **changes)]
    window: dict[str, DetectorRows] = {
        d: rows(DAY, _three(effect), seed=i, n=3000, detector=d) for i, d in enumerate("de")
    }
    return board, window


def test_a_week_moves_global_bounds_only_by_a_pattern_over_detectors_and_assets():
    fresh = monitor(gain_sum=9.0, gain_square=9.0)
    board, window = _two_detectors(12.0, monitor=fresh)
    (room,) = patterns(board, window, WEAVE)
    assert (room.name, room.caps.theta_min_mult, room.caps.phi_max_mult) == ("room", 0.95, 1.05)
    assert patterns(board[:1], window, WEAVE) == []
    assert patterns(board, {"d": window["d"]}, WEAVE) == []
    unsure, _ = _two_detectors(12.0)
    assert patterns(unsure, window, WEAVE) == []
    _, wrong = _two_detectors(-12.0)
    assert patterns(board, wrong, WEAVE) == []
    made = field_braids(room, board, NIGHT_MS, WEAVE)
    assert [(b.detector_id, b.parents, b.braid_type) for b in made] == [(d, ("x", "y"), "field") for d in "de"]
    assert field_braids(room, [*board, *made], NIGHT_MS, WEAVE) == []


def test_drift_over_detectors_and_assets_asks_for_more_exploration():
    losing = monitor(recent=(1.0,) * 40)
    board, window = _two_detectors(-12.0, monitor=losing)
    (drift,) = patterns(board, window, WEAVE)
    assert drift.patch.knobs == (Knob(EXPLORATION, 1.05),)
    (made, _) = field_braids(drift, board, NIGHT_MS, WEAVE)
    version = priors_version("b", NIGHT_MS, (made.active(),))
    assert knob_values(version, "dm", "d", [255] * 12, NIGHT_MS, WEAVE) == {EXPLORATION: 1.05}


def test_fields_are_woven_on_mondays():
    assert [weekly(f"2026-01-{d:02d}") for d in (18, 19, 20)] == [False, True, False]
    board, window = _two_detectors(12.0, monitor=monitor(gain_sum=9.0, gain_square=9.0, last_day="2026-01-20"))
    previous = priors_version("b", NIGHT_MS - DAY_MS, tuple(b.active() for b in board))
    kinds = {}
    for day in ("2026-01-18", "2026-01-19"):
        inputs = NightInputs(Evidence(day, {}, window))
        days = {"d": day_of(), "e": day_of(4)}
        kinds[day] = [b.braid_type for b in weave_night(previous, board, [], days, NIGHT_MS, MANIFEST, inputs).braids]
    assert "field" not in kinds["2026-01-18"]
    assert kinds["2026-01-19"].count("field") == 2
