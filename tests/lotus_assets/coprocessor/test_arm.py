"""The arm of a model in a search: over real HTTP, from a committed recording, out of budget, and switched off.

The recordings are of a server of these tests, not of a model. After a wanted change of the language or the prompt they
are made again: `LOTUS_WRITE_GOLDEN=1 pytest tests/lotus_assets/coprocessor/test_arm.py` (port 18431 must be free).
"""

import json
import os
import shutil
import socket
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from model_server import Asked, answers, completion, serving, specs, written

from lotus.coprocessor.breeding import LLM, Breeder, BreedPlan, TrialCharge
from lotus.coprocessor.model.calls import CallVerdict
from lotus.coprocessor.model.port import Prompt
from lotus.coprocessor.model.prompt_text import EXAMPLE
from lotus.errors import ConfigError, ExpressionError
from lotus_assets.coprocessor.arm import IN_A_ROW, ModelArm, counted
from lotus_assets.coprocessor.asking import asked_of, parted_ideas
from lotus_llm.exchange import Cassettes
from lotus_llm.model_port import ModelPort
from lotus_store.config import Settings
from tests.lotus_coprocessor.breeding_bed import small_panel
from tests.lotus_llm.port_bed import MemoryAccount, endpoint

RECORDED = Path(__file__).resolve().parents[3] / "fixtures" / "llm"
PORT = 18431
PLAN = BreedPlan(seed=5, trials=60, population=20)
SECOND = EXAMPLE.replace("calm_lean", "wide_lean").replace("spread <", "spread >").replace("30s\n", "5m\n", 1)
LONG = EXAMPLE.replace("calm_lean", "long_lean").replace("1m)", "90m)")


def arm_at(url: str, folder: Path, mode: str = "live", account: MemoryAccount | None = None) -> ModelArm:
    """Return an arm without facts and gaps: its prompts are the language and what was refused."""
    port = ModelPort(endpoint(url), mode, account or MemoryAccount(), Cassettes(folder))
    return ModelArm(port, (), (), counted({"json": 2, "other": 5}), ["taken"], (30, 300, 3600), 5_000)


def searched(arm: ModelArm | None, plan: BreedPlan = PLAN) -> tuple[Breeder, list[TrialCharge]]:
    """Return a finished search of the small panel and its charges."""
    charged: list[TrialCharge] = []
    breeder = Breeder(small_panel(), plan, charged.extend, arm)
    breeder.breed(lambda: 0.0)
    return breeder, charged


def scripted() -> Callable[[socket.socket, Asked], None]:
    """Answer by what is asked: two good specs with one beyond the search, then the same again."""

    def behave(one: socket.socket, asked: Asked) -> None:
        question = json.loads(asked.body)["messages"][1]["content"]
        texts = [EXAMPLE, SECOND, LONG] if "question" not in question else [EXAMPLE]
        one.sendall(written(200, completion(specs(*texts))))

    return behave


def test_a_search_replays_what_was_recorded(tmp_path: Path) -> None:
    folder = RECORDED
    writes = bool(os.environ.get("LOTUS_WRITE_GOLDEN"))
    if writes:
        shutil.rmtree(folder, ignore_errors=True)
    with serving(scripted(), PORT) if writes else nullcontext():
        arm = arm_at(f"http://127.0.0.1:{PORT}/v1", folder, "record" if writes else "replay")
        breeder, charged = searched(arm)
    by_model = {c.canonical for c in charged if c.operator == LLM}
    assert len(by_model) == 2
    assert all(breeder.run.scored[c].operator == LLM for c in by_model)
    assert charged[0].generation == 0
    assert len(charged) == len({c.canonical for c in charged}) == 60
    facts = arm.facts_of_arm()
    assert facts["asked"] >= 2
    assert facts["failed"] == {}
    assert facts["refused"]["bounds"] == 1
    again = arm_at(f"http://127.0.0.1:{PORT}/v1", folder, "replay")
    assert searched(again)[0].run.identity() == breeder.run.identity()
    with pytest.raises(ConfigError, match="there is no cassette"):
        arm_at(f"http://127.0.0.1:{PORT}/v1", tmp_path, "replay")(4)


def test_without_a_model_a_search_is_what_it_was() -> None:
    plain, charged = searched(None)
    assert not any(c.operator == LLM for c in charged)
    assert LLM not in plain._arms


@pytest.mark.parametrize("kind", ["budget", "failed", "garbage"])
def test_a_search_goes_on_without_answers_and_leaves_the_model_alone(kind: str, tmp_path: Path) -> None:
    account = MemoryAccount(refusal="llm.calls_run is 0" if kind == "budget" else "")
    body = b"{" if kind == "garbage" else completion(specs(EXAMPLE))
    with serving(answers(body, status=500 if kind == "failed" else 200)) as server:
        arm = arm_at(server.url, tmp_path, account=account)
        breeder, charged = searched(arm)
        assert len(server.requests) == (0 if kind == "budget" else IN_A_ROW)
    assert breeder.run.trials == len(charged) == 60
    verdict = {"budget": CallVerdict.OVER_BUDGET, "failed": CallVerdict.FAILED, "garbage": CallVerdict.WIRE}[kind]
    assert Counter(found for found, _ in arm.failures) == {verdict: IN_A_ROW}
    assert arm.facts_of_arm()["left_alone"]


def test_what_was_refused_is_in_the_next_question(tmp_path: Path) -> None:
    with serving(answers(completion(specs(LONG)))) as server:
        arm = arm_at(server.url, tmp_path)
        assert arm(4) == []
        assert arm(4) == []
    first, second = (json.loads(asked.body)["messages"][1]["content"] for asked in server.requests)
    assert "json,2\n" in first
    assert "bounds,1\n" in second
    assert "question 2 of one search" in second
    assert "other" not in first.replace("propose others", "")


@pytest.mark.parametrize("turn", [0, "1"])
def test_a_turn_is_a_number(turn: Any) -> None:
    with pytest.raises(ConfigError, match="turn"):
        Prompt(turn=turn)


def test_an_idea_is_an_expression_or_the_sentence_of_a_prompt(tmp_path: Path) -> None:
    sentence = "Thin books after a sweep fade."
    assert parted_ideas(["imbalance", sentence], True) == (("imbalance",), sentence)
    assert parted_ideas([], False) == ((), "")
    with pytest.raises(ExpressionError):
        parted_ideas([sentence], False)
    with pytest.raises(ConfigError, match="2 ideas"):
        parted_ideas([sentence, "Another one is here."], True)
    assert asked_of(Settings(tmp_path), sentence) == ()
