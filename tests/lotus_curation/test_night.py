"""The acts of a night: within the law, for one day, as said before where they were, not against a person's lift."""

from dataclasses import replace

from check_curator import DAY, honest_facts, with_detector

from lotus.curation.act import CurationAct
from lotus.curation.facts import NightFacts, Proposal
from lotus.curation.in_force import in_force
from lotus.curation.night import night_acts
from lotus.curation.registry import SIG, CuratorRole
from lotus.timebase import next_day

FROM = next_day(DAY, 2)
FRAGILE = with_detector(honest_facts(), "range", fragilities=(0.9, 0.9))


def keys(acts: tuple[CurationAct, ...]) -> list[tuple[str, str, str]]:
    return [(act.actor, act.kind, act.target) for act in acts]


def test_an_honest_night_does_nothing() -> None:
    found = night_acts(honest_facts(), {}, FROM, [], [])
    assert (found.acts, found.fresh, found.refused, found.held_back) == ((), (), (), 0)


def test_an_act_lasts_a_day_and_said_again_is_the_same() -> None:
    first = night_acts(FRAGILE, {}, FROM, [], [])
    assert keys(first.acts) == [("curator:adversarial", "veto", "range")]
    (act,) = first.fresh
    assert (act.from_day, act.until_day, act.day) == (FROM, next_day(FROM), DAY)
    assert act == act.named()
    again = night_acts(FRAGILE, {}, next_day(FROM, 5), first.fresh, [])
    assert (again.acts, again.fresh) == (first.acts, ()), "a later run of the night says nothing new"


def test_what_a_night_would_not_do_any_more_is_lifted_while_it_may_still_hold() -> None:
    first = night_acts(FRAGILE, {}, FROM, [], [])
    other = night_acts(honest_facts(), {}, FROM, first.fresh, [])
    assert not other.acts
    (lift,) = other.fresh
    assert (lift.kind, lift.revokes, lift.from_day) == ("lift", first.fresh[0].act_id, FROM)
    assert not night_acts(honest_facts(), {}, next_day(FROM), first.fresh, []).fresh, "it ended by itself"
    assert not night_acts(honest_facts(), {}, FROM, [*first.fresh, lift], []).fresh, "it is lifted already"


def test_a_persons_lift_stands_against_its_renewal() -> None:
    before = replace(FRAGILE, day=next_day(DAY, -1))
    (act,) = night_acts(before, {}, next_day(FROM, -1), [], []).fresh
    days = {"from_day": FROM, "until_day": next_day(FROM, 3)}
    lift = replace(act, actor="ann", kind="lift", revokes=act.act_id, **days).named()
    found = night_acts(FRAGILE, {}, FROM, [], [act, lift])
    assert (found.acts, found.held_back) == ((), 1)
    assert night_acts(FRAGILE, {}, next_day(FROM, 3), [], [act, lift]).acts, "the lift has ended"
    assert night_acts(replace(FRAGILE, day=lift.day), {}, FROM, [], [act, lift]).acts, "said after this night"


def test_what_the_law_refuses_is_told_and_the_rest_goes_on() -> None:
    def judge(facts: NightFacts, kappa: float) -> list[Proposal]:
        return [Proposal("nudge", "range", 0.5, "much"), Proposal("veto", "nosuch", 0.0, "why")]

    found = night_acts(FRAGILE, {}, FROM, [], [], [replace(SIG[0], judge=judge), *SIG[1:]])
    assert keys(found.acts) == [("curator:adversarial", "veto", "range")]
    assert len(found.refused) == 2
    assert "a nudge of 0.5" in found.refused[0]
    assert "nosuch" in found.refused[1]


def test_a_halved_cap_halves_the_nudge() -> None:
    newcomer = with_detector(honest_facts(), "drift", matured_days=0)
    values = [night_acts(newcomer, caps, FROM, [], []).acts[0].value for caps in ({}, {"mutation": 0.075})]
    assert values == [-0.15, -0.075]
    silent = CuratorRole("sig", "leakage", True, 0.0, "audits")
    assert not night_acts(newcomer, {}, FROM, [], [], [silent]).acts


def test_a_night_whose_facts_return_acts_anew() -> None:
    """Decided, again without the cause, and once more with it: the last decision holds."""
    said: list[CurationAct] = []
    for facts, holds in (
        (FRAGILE, 1),
        (honest_facts(), 0),
        (FRAGILE, 1),
        (FRAGILE, 1),
        (honest_facts(), 0),
        (FRAGILE, 1),
    ):
        facts = replace(facts, day=FRAGILE.day, branch=FRAGILE.branch)
        said += night_acts(facts, {}, FROM, said, []).fresh
        assert len(in_force(said, FROM)) == holds
    assert len({act.act_id for act in said}) == len(said) == 5
