"""What an act would have changed: the version after it, and windows whose propensity differs, with their draws."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.detectors.registry import shipped_detectors
from lotus.manifest import Asset, Manifest
from lotus.priors.types import ActiveBraid, Literal, Patch, Rule, priors_0, priors_version
from lotus.priors.vocabulary import BIN_COLUMNS
from lotus.weave.review import ReviewAct
from lotus_store.facts.act_preview import detectors_of, moved_windows, version_after

CAPS = (0.5, 1.0, 2.0, 3.0)
DETECTOR = shipped_detectors()[0].detector_id
MANIFEST = Manifest(universe=(Asset("BTC", 5), Asset("ETH", 4)))
VOL = Rule.of(Literal(0, 3, 4))
STRONG = ActiveBraid("x", "micro", DETECTOR, 30, VOL, Patch(-0.1, 1.05, gate=1.5), level=3)
META = ActiveBraid("m", "meta", DETECTOR, 30, Rule(), Patch(), ("x", "y"), op="INTERSECT")
OTHER = replace(STRONG, braid_id="y", rule=Rule.of(Literal(1, 0, 0)), level=0)
NOW = priors_version("main", 1000, (STRONG, OTHER, META))


def act(kind: str, **changes: object) -> ReviewAct:
    return ReviewAct("", "main", "", kind, "x", "ann", **changes)  # type: ignore


def window(vol: int, draw: float = 0.5) -> dict[str, object]:
    terms = dict.fromkeys(("kr_hbar", "kr_coherence", "kr_phi", "kr_novelty", "kr_emergence"), 0.5)
    bins = dict.fromkeys(BIN_COLUMNS, 2) | {"b_vol": vol}
    start = {"ln_sigma_0": -1.5, "tau_pub": float(np.exp(-1.4)), "temperature": 0.05, "theta1": 0.2, "u0": -2.0}
    named = {"event_id": f"w{vol}", "detector_id": DETECTOR, "asset": "ETH", "window_end_ms": 5, "tables_ver": "t"}
    return {**terms, **bins, **start, **named, "draw": draw, "kr_rho": 0.5, "mx_evidence": 0.5, "crowd_share": 0.0}


def test_acts_that_move_no_number_have_no_version_and_a_rollback_has_its_own() -> None:
    assert [version_after(act(kind), NOW, None, CAPS) for kind in ("approve", "extend", "freeze")] == [None] * 3
    assert version_after(act("rollback"), NOW, priors_0("main"), CAPS) == priors_0("main")


def test_a_rejection_takes_what_acts_through_the_braid_too() -> None:
    after = version_after(act("reject"), NOW, None, CAPS)
    assert after is not None
    assert [b.braid_id for b in after.braids] == ["y"]
    assert detectors_of(NOW, after) == [DETECTOR]
    assert detectors_of(NOW, NOW) == []


@pytest.mark.parametrize(("level", "gate"), [(3, 1.0), (2, 0.0), (1, 0.0)])
def test_a_lowered_level_holds_the_gate_within_its_cap(level: int, gate: float) -> None:
    now = priors_version("main", 1000, (replace(STRONG, level=level),))
    after = version_after(act("lower"), now, None, CAPS)
    assert after is not None
    assert (after.braids[0].level, after.braids[0].patch.gate) == (level - 1, pytest.approx(gate))


def test_only_windows_of_the_rule_move_and_less_where_it_is_attenuated() -> None:
    windows = [window(vol) for vol in range(5)]
    gone = moved_windows(windows, NOW, version_after(act("reject"), NOW, None, CAPS) or NOW, MANIFEST)
    half = moved_windows(windows, NOW, version_after(act("attenuate", factor=0.5), NOW, None, CAPS) or NOW, MANIFEST)
    assert [m.event_id for m in gone] == [m.event_id for m in half] == ["w3", "w4"]
    assert gone[0].after < half[0].after < gone[0].before
    assert moved_windows(windows, NOW, NOW, MANIFEST) == moved_windows([], NOW, priors_0("main"), MANIFEST) == []


def test_a_draw_between_both_propensities_changes_sides() -> None:
    after = version_after(act("reject"), NOW, None, CAPS)
    assert after is not None
    (plain,) = moved_windows([window(3)], NOW, after, MANIFEST)
    between = 0.5 * (plain.before + plain.after)
    sides = {
        draw: moved_windows([window(3, draw)], NOW, after, MANIFEST)[0].change
        for draw in (0.0, between, 0.99999)
    }  # fmt: skip
    assert list(sides.values()) == ["as before", "not published", "as before"]
    (back,) = moved_windows([window(3, between)], after, NOW, MANIFEST)
    assert back.change == "published"
