"""Vetoes at once: what a record says, whom its list bars and until when, and a day's rows cut at its records."""

from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from lotus.curation.act import CurationAct
from lotus.curation.at_once import VetoAtOnce, VetoList, barred, barred_pairs, listed, veto_lists, vetoes_of
from lotus.detectors.scoring.signal_spec import KAIROS, PERSON
from lotus.microtape.wire.reasons import ControlRecord

DAY, NEXT = "2026-03-04", "2026-03-05"
VETO = VetoAtOnce("a" * 32, "main", "drift@BTC", NEXT)
RECORD = {"priors_ver": "x", "vetoes": [asdict(VETO)]}


def test_a_list_is_what_no_table_carries_yet_in_order_of_names() -> None:
    acts = [
        CurationAct("", "main", "2026-03-02", "ann", "veto", f"d{k}", 0.0, "r", "", NEXT, "2026-03-09", at_once=k < 4)
        for k in range(5)
    ]
    acts = [act.named() for act in acts]
    found = listed(acts, DAY)
    assert [veto.act_id for veto in found] == sorted(act.act_id for act in acts[:4])
    assert {veto.until_day for veto in found} == {NEXT}
    assert listed(acts, NEXT) == ()


def test_an_act_has_another_name_at_once_and_its_old_one_without() -> None:
    act = CurationAct("", "main", "2026-03-02", "ann", "veto", "d", 0.0, "r", "", NEXT, "2026-03-09").named()
    assert act.act_id == "9458005e76e445c5b2f489b9cce28be5"
    at_once = CurationAct(**{**asdict(act), "at_once": True}).named()
    assert at_once.act_id != act.act_id


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (RECORD, (VETO,)),
        ({"priors_ver": "x"}, ()),
        ({"priors_ver": "x", "vetoes": []}, ()),
        ({"detectors": []}, None),
        ({"priors_ver": "x", "vetoes": None}, None),
        ({"vetoes": "drift"}, None),
        ({"vetoes": [{"target": "drift"}]}, None),
        ({"vetoes": [{**asdict(VETO), "until_day": 7}]}, None),
        ({"vetoes": [asdict(VETO)] * 1001}, None),
        ([asdict(VETO)], None),
        (None, None),
    ],
)
def test_a_record_says_the_whole_list_or_nothing(data: Any, found: tuple[VetoAtOnce, ...] | None) -> None:
    assert vetoes_of(data) == found


def test_a_list_bars_its_branch_until_the_tables_do() -> None:
    names = ("BTC", "ETH"), ("drift", "shock")
    one = barred_pairs([VETO], "main", DAY, *names)
    assert one.tolist() == [[True, False], [False, False]]
    assert not barred_pairs([VETO], "other", DAY, *names).any()
    assert not barred_pairs([VETO], "main", NEXT, *names).any()
    both = [VetoAtOnce("", "main", target, NEXT) for target in ("@ETH", "shock")]
    assert barred_pairs(both, "main", DAY, *names).tolist() == [[False, True], [True, True]]
    assert not barred_pairs([VetoAtOnce("", "main", "nobody@DOGE", NEXT)], "main", DAY, *names).any()


def test_rows_are_cut_at_the_line_of_a_record() -> None:
    n = 6
    events = {
        "detector_id": np.array(["drift"] * n, dtype=object), "asset": np.array(["BTC"] * n, dtype=object),
        "close_recv_ns": np.array([10, 20, 20, 20, 30, 40]), "close_seq": np.array([1, 2, 3, 4, 9, 10]),
        "veto": np.array([0, 0, 0, KAIROS, 0, 0], np.uint32), "pi": np.full(n, 0.5),
        "eligible": np.array([True, True, True, False, True, True]), "published": np.ones(n, np.bool_),
    }  # fmt: skip
    controls = [
        ControlRecord(3, 20, RECORD), ControlRecord(5, 20, RECORD), ControlRecord(6, 25, {"detectors": []}),
        ControlRecord(9, 30, {"priors_ver": ""}),
    ]  # fmt: skip
    lists = veto_lists(controls)
    assert lists == [VetoList(20, 3, (VETO,)), VetoList(30, 9, ())]
    out = barred(events, lists, "main", DAY)
    assert out["veto"].tolist() == [0, 0, 0, KAIROS | PERSON, PERSON, 0]
    assert out["veto"].dtype == np.uint32
    assert out["pi"].tolist() == [0.5, 0.5, 0.5, 0.0, 0.0, 0.5]
    assert out["published"].tolist() == [True, True, True, False, False, True]
    assert out["eligible"].tolist() == [True, True, True, False, False, True]
    assert barred(events, lists, "main", NEXT) is events
    assert barred(events, lists, "other", DAY) is events
