"""PRIOR_PATCH: applied in future event time only, in order, once; killed anywhere and run again, the same rows."""

import json
import multiprocessing
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import msgspec
import numpy as np
import pytest
from six_nights import DAY, braid, night, six_nights, version

from lotus.errors import BeliefError
from lotus.modules.intents import Module
from lotus.modules.messages.beliefs import PriorPatch, patch_message
from lotus.priors.types import ActiveBraid, Knob, Literal, Patch, Rule, Scope, priors_0
from lotus.timebase import day_start_ms, next_day
from lotus_herald.carry import carry
from lotus_herald.consume import consume
from lotus_herald.keys import Keys
from lotus_herald.outbox import send
from lotus_herald.report import herald_status
from lotus_modules.handlers import SLOW
from lotus_modules.priors.hand_over import hand_over
from lotus_modules.priors.prior_patch import propose
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger.beliefs import priors
from lotus_store.ledger.bodies import to_plain


def belief_rows(databases: Databases) -> dict[str, list[tuple[object, ...]]]:
    """Everything a killed and repeated run must end in again (wall-clock columns left out)."""
    queries = {
        "priors": "SELECT branch, priors_ver, day, effective_from_ms, parent_priors_ver, payload FROM active_priors",
        "snapshot": "SELECT branch, priors_ver, before, after, diff FROM active_priors_snapshot",
        "in_force": "SELECT branch, day, priors_ver, effective_from_ms, event_id FROM priors_in_force",
        "outbox": "SELECT seq, event_id, dedupe_key, intent, outcome FROM sig_outbox",
        "inbox": "SELECT event_id, intent, outcome FROM sig_inbox",
        "dead": "SELECT event_id, reason FROM sig_dead_letter",
    }
    with databases.connect("sig") as connection:
        return {name: sorted(connection.execute(q).fetchall(), key=str) for name, q in queries.items()}


def test_a_chain_of_nights(databases: Databases, keys: Keys) -> None:
    genesis = priors_0("main")
    first = version(DAY, braid("a"))
    second = version("2025-01-02", braid("a", -0.08), braid("b"))
    night(databases, keys, first, DAY, genesis)
    night(databases, keys, second, "2025-01-02", first)
    with databases.connect("sig") as c:
        assert priors.in_force_at(c, "main", first.effective_from_ms - 1) == genesis
        assert priors.in_force_at(c, "main", first.effective_from_ms) == first
        assert priors.in_force_on(c, "main", "2025-01-01") == [genesis]
        assert priors.in_force_on(c, "main", "2025-01-02") == [genesis, first]
        assert priors.in_force_on(c, "main", "2025-01-03") == [first, second]
        assert priors.in_force_on(c, "main", "2025-01-09") == [second]
        assert priors.in_force_on(c, "other", "2025-01-09") == [priors_0("other")]
        assert priors.read_version(c, "main", second.priors_ver) == second
        diff = c.execute(
            "SELECT diff FROM active_priors_snapshot WHERE priors_ver = %s", [second.priors_ver]
        ).fetchone()
        acks = c.execute("SELECT envelope FROM sig_inbox WHERE intent = 'PRIOR_PATCH_APPLIED'").fetchall()
    assert diff == ({"added": ["b"], "removed": [], "changed": ["a"]},)
    assert [json.loads(str(a[0]))["payload"]["applied"] for a in acks] == [True, True]


def test_repeating_a_night_changes_nothing(databases: Databases, keys: Keys) -> None:
    v = version(DAY, braid("a"))
    night(databases, keys, v, DAY, priors_0("main"))
    before = belief_rows(databases)
    for _ in range(3):
        night(databases, keys, v, DAY, priors_0("main"))
    assert belief_rows(databases) == before


def test_a_late_patch_is_refused_and_says_so(databases: Databases, keys: Keys) -> None:
    v = version(DAY, braid("a"))
    with databases.connect("sig") as c:
        propose(c, v, DAY, priors_0("main").priors_ver, keys)
    with pytest.raises(BeliefError, match="too late"):
        hand_over(databases, v, keys, v.effective_from_ms)
    rows = belief_rows(databases)
    assert rows["priors"] == rows["in_force"] == []
    with databases.connect("sig") as c:
        ack = c.execute("SELECT envelope FROM sig_inbox WHERE intent = 'PRIOR_PATCH_APPLIED'").fetchone()
    assert ack is not None
    payload = json.loads(str(ack[0]))["payload"]
    assert (payload["applied"], payload["reason"]) == (False, "late")
    later = version(next_day(DAY), braid("a"))
    with databases.connect("sig") as c:
        propose(c, later, DAY, priors_0("main").priors_ver, keys)
    hand_over(databases, later, keys, v.effective_from_ms)


def test_a_patch_that_does_not_follow_is_refused_until_it_does(databases: Databases, keys: Keys) -> None:
    first, second = version(DAY, braid("a")), version("2025-01-02", braid("b"))
    with pytest.raises(BeliefError):
        night(databases, keys, second, "2025-01-02", first)
    night(databases, keys, first, DAY, priors_0("main"))
    night(databases, keys, second, "2025-01-02", first)
    with databases.connect("sig") as c:
        assert priors.in_force_at(c, "main", second.effective_from_ms) == second


def test_a_day_learned_again_replaces_and_can_return(databases: Databases, keys: Keys) -> None:
    one, other = version(DAY, braid("a")), version(DAY, braid("b"))
    for v in (one, other, one, other):
        night(databases, keys, v, DAY, priors_0("main"))
        with databases.connect("sig") as c:
            assert priors.in_force_at(c, "main", v.effective_from_ms) == v


def test_every_float_arrives_to_the_bit(databases: Databases, keys: Keys) -> None:
    v = version(DAY, braid("zero", -0.0), braid("small", -1e-300), braid("third", -1 / 3))
    night(databases, keys, v, DAY, priors_0("main"))
    with databases.connect("sig") as c:
        found = priors.in_force_at(c, "main", v.effective_from_ms)
    assert repr(found) == repr(v)


def test_branches_do_not_touch_each_other(databases: Databases, keys: Keys) -> None:
    v = version(DAY, braid("a"), branch="backfill-1")
    night(databases, keys, v, DAY, priors_0("backfill-1"))
    with databases.connect("sig") as c:
        assert priors.in_force_at(c, "main", v.effective_from_ms) == priors_0("main")


def test_altered_content_is_a_dead_letter(databases: Databases, keys: Keys) -> None:
    v = version(DAY, braid("a"))
    with databases.connect("sig") as c:
        envelope = propose(c, v, DAY, priors_0("main").priors_ver, keys)
        assert envelope is not None
    carry(databases)
    forged = json.loads(envelope.to_json())
    forged["payload"]["braids"][0]["patch"]["theta_delta"] = -0.12
    with databases.connect("sig") as c:
        c.execute("UPDATE sig_inbox SET envelope = %s", [json.dumps(forged)])
    assert consume(databases, Module.SIG, SLOW[Module.SIG], keys, 0) == {"dead": 1}
    assert belief_rows(databases)["in_force"] == []


@pytest.mark.kill("a hand-over dies at each of its statements")
def test_killed_anywhere_and_run_again_ends_in_the_same_rows(
    databases: Databases, settings: Settings, tmp_path: Path
) -> None:
    processes = multiprocessing.get_context("forkserver")  # which imports what the nights need once
    processes.set_forkserver_preload(["lotus_modules.priors.hand_over", "lotus_modules.priors.prior_patch"])

    def begun() -> ForkServerProcess:
        ours, theirs = processes.Pipe()
        process = processes.Process(target=six_nights, args=(tmp_path / "home", settings.server_dsn, theirs))
        process.start()
        theirs.close()
        ours.recv()
        return process

    def to_the_end() -> None:
        process = begun()
        process.join()
        assert process.exitcode == 0

    to_the_end()
    whole = belief_rows(databases)
    assert len(whole["in_force"]) == 6
    random = np.random.default_rng(11)
    for _ in range(3):
        with databases.owner("sig") as c:
            c.execute("TRUNCATE sig_inbox, sig_outbox, priors_in_force, active_priors, active_priors_snapshot")
        for _ in range(3):
            process = begun()
            process.join(float(random.uniform(0.02, 0.35)))
            process.kill()
            process.join()
        to_the_end()
        assert belief_rows(databases) == whole


def knob_braid(name: str, scope: Scope) -> ActiveBraid:
    key, owner = {"tr": ("execution:retry", "execution.retry"), "dm": ("policy:x", "policy.main.x")}[scope]
    patch = Patch(knobs=(Knob(key, 1.03),))
    return ActiveBraid(name, "micro", owner, 60, Rule.of(Literal(0, 1, 2)), patch, lesson_id="l", scope=scope)


@pytest.mark.parametrize("module", [Module.DM, Module.TR])
def test_every_module_patches_its_own_priors_with_braids_of_its_own_scope(
    databases: Databases, keys: Keys, module: Module
) -> None:
    own: Scope = "dm" if module is Module.DM else "tr"
    other: Scope = "tr" if module is Module.DM else "dm"
    first, second = version(DAY, knob_braid("a", own)), version("2025-01-02", knob_braid("b", own))
    genesis = priors_0("main")
    for v, day, parent in ((first, DAY, genesis), (second, "2025-01-02", first), (second, "2025-01-02", first)):
        with databases.connect(module.value) as connection:
            propose(connection, v, day, parent.priors_ver, keys, module)
        hand_over(databases, v, keys, day_start_ms(next_day(day)), module)
    with databases.connect(module.value) as c, databases.connect("sig") as sig:
        assert priors.swaps(c, "main", module.value) == [(v.effective_from_ms, v.priors_ver) for v in (first, second)]
        assert priors.in_force_at(c, "main", first.effective_from_ms - 1, module.value) == genesis
        assert priors.in_force_at(c, "main", second.effective_from_ms, module.value) == second
        assert priors.read_version(c, "main", first.priors_ver, module.value) == first
        assert priors.swaps(sig, "main") == []
    strange = version("2025-01-03", knob_braid("c", other))
    with databases.connect(module.value) as connection:
        propose(connection, strange, "2025-01-03", second.priors_ver, keys, module)
    with pytest.raises(BeliefError):
        hand_over(databases, strange, keys, day_start_ms("2025-01-04"), module)
    with databases.connect(module.value) as c:
        (reason,) = [str(row[0]) for row in c.execute(f"SELECT detail FROM {module}_dead_letter")]
        assert f"braids of scope {other}" in reason
        late = version("2025-01-05", knob_braid("d", own))
        propose(c, late, "2025-01-05", second.priors_ver, keys, module)
    with pytest.raises(BeliefError, match="too late"):
        hand_over(databases, late, keys, late.effective_from_ms, module)


def test_nobody_patches_the_priors_of_another_module(databases: Databases, keys: Keys) -> None:
    v = version(DAY, knob_braid("a", "tr"))
    patch = PriorPatch(
        branch="main", day=DAY, priors_ver=v.priors_ver, effective_from_ms=v.effective_from_ms,
        parent_priors_ver=priors_0("main").priors_ver, braids=[to_plain(b) for b in v.braids],
    )  # fmt: skip
    message = msgspec.structs.replace(
        patch_message(patch, module=Module.TR), to=(Module.TR,), schema_ref=PriorPatch.ref(Module.DM)
    )
    with databases.connect("dm") as connection:
        send(connection, Module.DM, message, keys)
    carry(databases, senders=(Module.DM,))
    assert consume(databases, Module.TR, SLOW[Module.TR], keys, 0, own_only=True) == {"dead": 1}
    with databases.connect("tr") as c:
        assert priors.swaps(c, "main", "tr") == []


def test_the_status_shows_the_newest_answer_of_a_branch(databases: Databases, keys: Keys) -> None:
    v = version(DAY, braid("a"))
    night(databases, keys, v, DAY, priors_0("main"))
    patches = herald_status(databases)["sig"]["patches"]
    assert (patches["main"]["priors_ver"], patches["main"]["applied"]) == (v.priors_ver, True)
    late = version("2025-01-05", braid("b"))
    with databases.connect("sig") as c:
        propose(c, late, "2025-01-05", v.priors_ver, keys)
    with pytest.raises(BeliefError, match="too late"):
        hand_over(databases, late, keys, late.effective_from_ms)
    assert herald_status(databases)["sig"]["patches"]["main"]["reason"] == "late"
