"""What a night hands on: bodies of older boards, names of versions, and the conflict map."""

from dataclasses import fields

import msgspec
from weave_boards import MANIFEST, NIGHT_MS, A, B, braid, day_of

from lotus.priors.types import Literal, Rule, priors_version
from lotus.timebase import DAY_MS
from lotus.weave.braid import Braid
from lotus.weave.night import NightInputs, weave_night
from lotus.weave.watchdog import Evidence
from lotus_store.ledger.bodies import from_body, to_plain

NEW = (
    "scope",
    "weights",
    "strength",
    "caps",
    "cap_mult",
    "mdl_bits",
    "stability",
    "monitor",
    "dry_days",
    "ended_on",
    "tags",
)


def test_a_board_written_before_the_monitor_is_still_read():
    body = {k: v for k, v in to_plain(braid("x")).items() if k not in NEW}
    body["patch"], body["target"] = ({k: v for k, v in body[p].items() if k != "knobs"} for p in ("patch", "target"))
    old = from_body(body, Braid)
    assert (old.braid_id, old.monitor, old.e_value, old.scope) == ("x", None, 1.0, "sig")
    previous = priors_version("b", NIGHT_MS - DAY_MS, (old.active(),))
    night = weave_night(previous, [old], [], {"d": day_of()}, NIGHT_MS, MANIFEST, NightInputs(Evidence("2026-01-18")))
    assert night.braids[0].state == "active"
    assert {f.name for f in fields(Braid)} >= set(NEW)


def test_new_fields_leave_the_name_of_a_version_alone():
    version = priors_version("b", 5, (braid("x").active(),))
    plain = msgspec.to_builtins(version.braids[0])
    assert (plain["scope"], plain["patch"]["knobs"]) == ("sig", ())
    del plain["scope"], plain["patch"]["knobs"]
    again = msgspec.convert(plain, type(version.braids[0]))
    assert priors_version("b", 5, (again,)).priors_ver == version.priors_ver


def test_the_conflict_map_shows_every_pair_of_a_detector_once_on_mondays():
    wide = Rule.of(Literal(7, 0, 2))
    board = [braid("x", A), braid("y", B), braid("z", wide, detector_id="e"), braid("w", B, detector_id="e")]
    previous = priors_version("b", NIGHT_MS - DAY_MS, tuple(b.active() for b in board))
    days = {"d": day_of(), "e": day_of(4)}
    monday = weave_night(previous, board, [], days, NIGHT_MS, MANIFEST, NightInputs(Evidence("2026-01-19")))
    assert [(o.detector_id, o.first, o.second) for o in monday.overlaps] == [("d", "x", "y"), ("e", "w", "z")]
    bins = days["d"].bins
    a, b = bins[:, 7] <= 1, bins[:, 3] <= 1
    assert monday.overlaps[0].jaccard == (a & b).sum() / (a | b).sum()
    sunday = weave_night(previous, board, [], days, NIGHT_MS, MANIFEST, NightInputs(Evidence("2026-01-18")))
    assert sunday.overlaps == ()
