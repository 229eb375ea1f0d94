"""An identity is what messages and handlers say."""

from lotus.modules.intents import Module
from lotus_herald.identity import CARRY, serves, works
from lotus_modules.handlers import SLOW


def test_an_identity_is_what_messages_and_handlers_say() -> None:
    job = works(Module.SIG, "dagster", "apply_inbox", SLOW[Module.SIG])
    assert job.capabilities == ["apply_inbox"]
    assert "urn:schema:sig.prior_patch:v1" in job.accepts
    assert "urn:schema:vis.alpha_hint:v1" not in job.accepts
    assert job.produces == ["urn:schema:sig.prior_patch_applied:v1"]
    standing = serves(Module.DM, "daemon", SLOW[Module.DM])
    assert sorted(standing.capabilities) == [
        "LEARNING_UPDATE", "LESSON_PUBLISHED", "PRIOR_PATCH", "PRIOR_PATCH_APPLIED", "VARIANT_BORN", "WATCHDOG_ALERT",
    ]  # fmt: skip
    assert "urn:schema:dm.dm_decision:v1" in standing.produces
    assert standing.preferred == ["tr", "sig", "vis"], "most schemas exchanged first, then by name"
    carries = works(Module.VIS, "herald", CARRY)
    assert (carries.capabilities, carries.accepts, carries.produces, carries.preferred) == (["carry"], [], [], [])
