"""What a search leaves of its model: reasons of refusals for later prompts, alarms in the queue, once each."""

from collections import Counter
from dataclasses import replace

import pytest

from lotus.coprocessor.model.calls import CallVerdict
from lotus.errors import ConfigError
from lotus.modules.intents import Module
from lotus_assets.coprocessor.arm import ModelArm
from lotus_assets.coprocessor.asking import arm_of, end_arm, port_of, prompt_of
from lotus_assets.stages.context import StageContext
from lotus_herald.carry import carry
from lotus_herald.consume import consume
from lotus_herald.keys import Keys
from lotus_modules.handlers import SLOW
from lotus_resources.lotus_resource import Lotus
from lotus_store.ledger.beliefs.candidates import ChargedRun
from lotus_store.ledger.llm_calls import StoredRefusal, refused_before
from lotus_store.settings.llm import LlmSettings

LLM = LlmSettings("live", "http://127.0.0.1:9/v1", "m-1", knows_until="2026-01-02")


def with_model(ctx: StageContext) -> StageContext:
    """Return a context whose settings name a model."""
    return replace(ctx, settings=replace(ctx.settings, llm=LLM))


def test_calls_without_an_answer_are_alarms_and_refusals_are_in_later_prompts(ctx: StageContext) -> None:
    own, run = with_model(ctx), ChargedRun("r", ctx.branch, "2026-01-06", LLM.knows_until)
    arm = arm_of(own, "r", run.night, "Thin books fade.")
    assert isinstance(arm, ModelArm)
    assert (arm.facts, arm.refused, arm.idea) == ((), Counter(), "Thin books fade.")
    arm.failures = [(CallVerdict.SLOW, "slow"), (CallVerdict.OVER_BUDGET, "llm.calls_run is 1")]
    arm.refusals = [StoredRefusal("q", 1, "bounds", "12 deep"), StoredRefusal("q", 2, "nosuch", "x")]
    for _ in range(2):
        end_arm(own, arm, run)
    carry(ctx.databases, ctx.branch, senders=(Module.SIG,))
    consume(ctx.databases, Module.SIG, SLOW[Module.SIG], Keys(ctx.settings.keys_root), 0, ctx.branch)
    rows = ctx.sig.execute("SELECT kind, subject, found FROM curation_queue ORDER BY kind").fetchall()
    assert [(kind, subject) for kind, subject, _ in rows] == [("llm_budget", "m-1"), ("llm_port", "m-1")]
    assert "llm.calls_run is 1" in rows[0][2]
    assert refused_before(ctx.sig, ctx.branch, "2026-01-06") == {}
    later = arm_of(own, "r2", "2026-01-07")
    assert later is not None
    assert later.refused == Counter({"bounds": 1})  # codes without a word in a prompt are left out


def test_without_a_model_there_is_no_arm_and_no_port(ctx: StageContext, lotus: Lotus) -> None:
    assert arm_of(ctx, "r", "2026-01-06") is None
    with pytest.raises(ConfigError, match="mode is off"):
        port_of(ctx.settings, lotus.databases, "r")
    assert prompt_of(ctx.settings, 3).facts == ()
