"""Acts of people go from the board to the ledger as signed messages; what the law refuses is a dead letter."""

from dataclasses import asdict, replace

import msgspec
import pytest

from lotus.curation.act import CurationAct, CurationKind
from lotus.errors import BeliefError, ConfigError
from lotus.manifest import Manifest
from lotus.modules.intents import Module
from lotus.modules.messages.beliefs import CurationNote, curation_message
from lotus_herald.carry import carry
from lotus_herald.consume import consume
from lotus_herald.keys import Keys
from lotus_herald.outbox import send
from lotus_modules.handlers import SLOW
from lotus_modules.sig.board import AskedAct, act_of, submit
from lotus_store.databases import Databases
from lotus_store.ledger.beliefs.acts import acts_on, put_acts, vetoes_at_once
from lotus_store.ledger.day_commits import DayCommit, commit_day
from lotus_store.ledger.messages.boxes import dead_letters

DAY = "2026-01-10"
MANIFEST = Manifest()
VETO = AskedAct(CurationKind.VETO, "ann", "listing", "@BTC", days=3)
NUDGE = AskedAct(CurationKind.NUDGE, "ann", "it pays", "micro_drift", 0.05, 2)


@pytest.fixture
def committed(databases: Databases) -> Databases:
    """A ledger whose branch has learned one day."""
    with databases.connect("sig", autocommit=True) as sig:
        commit_day(sig, DayCommit("main", DAY, "active_priors", "h", 1, "i", {}))
    return databases


def on(databases: Databases, day: str) -> list[tuple[str, str, float]]:
    with databases.connect("sig") as sig:
        return [(act.actor, act.target, act.value) for act in acts_on(sig, "main", day)]


def test_an_act_is_in_force_from_the_second_day_and_ends_by_itself(committed: Databases, keys: Keys) -> None:
    act = submit(committed, "main", VETO, MANIFEST, keys)
    assert submit(committed, "main", VETO, MANIFEST, keys) == act, "said twice, it is one act"
    assert (act.day, act.from_day, act.until_day) == (DAY, "2026-01-12", "2026-01-15")
    submit(committed, "main", NUDGE, MANIFEST, keys)
    days = {day: on(committed, f"2026-01-{day}") for day in (11, 12, 13, 14, 15)}
    veto, nudge = ("ann", "@BTC", 0.0), ("ann", "micro_drift", 0.05)
    assert days == {11: [], 12: [veto, nudge], 13: [veto, nudge], 14: [veto], 15: []}


def test_a_lift_ends_what_a_person_did(committed: Databases, keys: Keys) -> None:
    act = submit(committed, "main", VETO, MANIFEST, keys)
    lift = AskedAct(CurationKind.LIFT, "bob", "it was Thursday", revokes=act.act_id)
    assert submit(committed, "main", lift, MANIFEST, keys).target == "@BTC"
    assert on(committed, "2026-01-12") == []
    with pytest.raises(ConfigError, match="is lifted already"):
        submit(committed, "main", replace(lift, actor="eve"), MANIFEST, keys)


@pytest.mark.parametrize("asked", [VETO, replace(VETO, at_once=True), NUDGE])
def test_what_was_lifted_can_be_said_again_in_the_same_words(committed: Databases, keys: Keys, asked: AskedAct) -> None:
    """Twice over: each time it is another act, in force, and said twice it is one."""
    names = set()
    for again in range(3):
        act = submit(committed, "main", asked, MANIFEST, keys)
        names.add(act.act_id)
        assert submit(committed, "main", asked, MANIFEST, keys) == act
        assert on(committed, "2026-01-12") == [("ann", asked.target, asked.value)]
        with committed.connect("sig") as sig:
            assert vetoes_at_once(sig, "main", "2026-01-11") == ([act] if asked.at_once else [])
        if again < 2:
            submit(committed, "main", AskedAct(CurationKind.LIFT, "bob", "over", revokes=act.act_id), MANIFEST, keys)
            assert on(committed, "2026-01-12") == []
    assert len(names) == 3


def test_a_correction_of_the_same_day_begins_with_a_lift(committed: Databases, keys: Keys) -> None:
    wrong = submit(committed, "main", NUDGE, MANIFEST, keys)
    meant = replace(NUDGE, value=-0.05, reason="wrong sign")
    with pytest.raises(ConfigError, match=rf"act {wrong.act_id}; expected: one act .* lift that one first"):
        submit(committed, "main", meant, MANIFEST, keys)
    submit(committed, "main", replace(meant, actor="bob"), MANIFEST, keys)
    submit(committed, "main", AskedAct(CurationKind.LIFT, "ann", "wrong", revokes=wrong.act_id), MANIFEST, keys)
    submit(committed, "main", meant, MANIFEST, keys)
    assert on(committed, "2026-01-12") == [("ann", "micro_drift", -0.05), ("bob", "micro_drift", -0.05)]


def test_nothing_is_written_of_what_is_refused(committed: Databases, keys: Keys) -> None:
    for asked in (replace(NUDGE, value=0.06), replace(VETO, target="@DOGE"), replace(VETO, days=31),
                  replace(VETO, actor="curator:data"), replace(VETO, actor=""),
                  AskedAct(CurationKind.EPSILON, "explorer", "why", "micro_drift", 0.1),
                  AskedAct(CurationKind.LIFT, "allocator", "why", revokes="nosuch"),
                  AskedAct(CurationKind.LIFT, "ann", "why", revokes="nosuch")):  # fmt: skip
        with pytest.raises(ConfigError):
            submit(committed, "main", asked, MANIFEST, keys)
    with pytest.raises(BeliefError, match="no committed day"):
        submit(committed, "other", VETO, MANIFEST, keys)
    assert on(committed, "2026-01-12") == []
    with committed.connect("sig") as sig:
        assert dead_letters(sig, "sig") == [], "nothing was sent either"


def test_a_veto_at_once_waits_for_its_tables_and_a_lift_ends_it(committed: Databases, keys: Keys) -> None:
    act = submit(committed, "main", replace(VETO, at_once=True), MANIFEST, keys)
    plain = submit(committed, "main", VETO, MANIFEST, keys)
    assert act.act_id != plain.act_id
    with committed.connect("sig") as sig:
        assert vetoes_at_once(sig, "main", "2026-01-11") == [act]
        assert vetoes_at_once(sig, "main", "2026-01-12") == vetoes_at_once(sig, "other", "2026-01-11") == []
    submit(committed, "main", AskedAct(CurationKind.LIFT, "bob", "it was Thursday", revokes=act.act_id), MANIFEST, keys)
    with committed.connect("sig") as sig:
        assert vetoes_at_once(sig, "main", "2026-01-11") == []
    for asked in (replace(NUDGE, at_once=True), replace(VETO, at_once=True, actor="curator:data")):
        with pytest.raises((ConfigError, BeliefError), match=r"at once|in the name of"):
            submit(committed, "main", asked, MANIFEST, keys)


def forged(act: CurationAct) -> CurationNote:
    return msgspec.convert(asdict(act), CurationNote)


def test_a_forged_or_late_act_is_a_dead_letter(committed: Databases, keys: Keys) -> None:
    with committed.connect("sig") as sig:
        act = act_of(sig, "main", VETO, MANIFEST)
        leak = replace(act, actor="curator:leakage", target="micro_drift").named()
        put_acts(sig, [leak])
        sig.commit()
        wrong = [
            replace(act, actor="eve"),
            replace(act, actor="curator:compliance").named(),
            replace(act, until_day="2026-02-20").named(),
            replace(act, day="2026-01-09", from_day="2026-01-11").named(),
            replace(act, kind="lift", revokes=leak.act_id).named(),
            replace(act, kind="nudge", target="micro_drift", value=0.01, at_once=True).named(),
            replace(act, kind="epsilon", actor="explorer", target="micro_drift", value=0.1).named(),
            replace(act, kind="lift", actor="allocator", revokes=leak.act_id).named(),
            replace(act, at_once=True, act_id="b" * 32),
            replace(act, kind="sign_off", target="@BTC").named(),
        ]
        for one in wrong:
            send(sig, Module.SIG, curation_message(forged(one)), keys)
    carry(committed, "main", senders=(Module.SIG,))
    assert consume(committed, Module.SIG, SLOW[Module.SIG], keys, 0, "main") == {"dead": 10}
    with committed.connect("sig") as sig:
        details = " ".join(letter.detail for letter in dead_letters(sig, "sig"))
    for words in (
        "whose name is", "curator:compliance in a message", "allocator in a message", "explorer in a message",
        "a signature on @BTC", "1 to 30", "the first free day", "nobody lifts", "a person's veto only",
    ):  # fmt: skip
        assert words in details
    assert on(committed, "2026-01-12") == [("curator:leakage", "micro_drift", 0.0)]
