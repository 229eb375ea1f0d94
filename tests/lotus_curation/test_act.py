"""An act's name is the hash of all that it says, and of `at_once` only where it is so; its target has parts."""

from dataclasses import replace

import pytest

from lotus.curation.act import CurationAct, parts_of
from lotus.curation.in_force import acted, in_force
from lotus.curation.law import Subjects, check_act
from lotus.curation.registry import powers
from lotus.detectors.daily.make import day_tables
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring.signal_spec import DATA, PERSON
from lotus.errors import ConfigError
from lotus.manifest import Manifest

ACT = CurationAct("", "main", "2026-01-10", "ann", "veto", "momentum@BTC", 0.0, "why", "", "2026-01-12", "2026-01-20")


def test_every_word_of_an_act_is_in_its_name() -> None:
    named = ACT.named()
    assert named.named() == named, "the name is not part of itself"
    others = [
        replace(ACT, **change).named().act_id
        for change in (
            {"branch": "b"}, {"day": "2026-01-09"}, {"actor": "bob"}, {"kind": "nudge"}, {"target": "momentum"},
            {"value": 0.01}, {"reason": "because"}, {"evidence_ref": "x"}, {"from_day": "2026-01-13"},
            {"until_day": "2026-01-21"}, {"revokes": "y"}, {"at_once": True},
        )
    ]  # fmt: skip
    assert len({named.act_id, *others}) == len(others) + 1


def test_a_number_that_is_whole_names_the_same_act_as_its_float() -> None:
    assert replace(ACT, value=0).named().act_id == ACT.named().act_id


def test_bits_and_parts() -> None:
    assert (ACT.veto_bit, replace(ACT, actor="curator:data").veto_bit) == (PERSON, DATA)
    assert (ACT.is_of_curator, replace(ACT, actor="curator:data").is_of_curator) == (False, True)
    assert [parts_of(x) for x in ("a@B", "a", "@B/C")] == [("a", "B"), ("a", ""), ("", "B/C")]


def test_a_signature_is_lawful_of_a_person_and_moves_no_table() -> None:
    detectors = shipped_detectors()
    name = detectors[0].detector_id
    signed = replace(ACT, kind="sign_off", target=name)
    assert check_act(signed, powers(), Subjects((name,), ("BTC",))) == signed
    for bad in (replace(signed, value=0.01), replace(signed, target="nosuch"), replace(signed, actor="allocator")):
        with pytest.raises(ConfigError):
            check_act(bad, powers(), Subjects((name,), ("BTC",)))
    blank = day_tables("2026-01-12", [], Manifest(), Manifest().universe, detectors)
    assert acted(blank, in_force([signed.named()], "2026-01-12")).tables_ver == blank.tables_ver
