"""The week's search: off, due once, begun again after a model that cannot be asked, and what its checks say."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lotus.coprocessor.genome import read, spec_text
from lotus.tape_machine.parser import parse
from lotus_assets.bodies import stage_context
from lotus_assets.breeding import monday
from lotus_assets.breeding.monday import breed_monday, run_checks
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.order import LEARNING_STAGES
from lotus_assets.stages.runner import run_stage
from lotus_resources.lotus_resource import Lotus
from lotus_store.config import Settings
from lotus_store.ledger.beliefs.candidates import candidates_of, trials_ever
from lotus_store.settings.llm import LlmSettings
from lotus_store.settings.sections import BreedingSettings

NEEDED = {"expert_set", "signal_events", "signal_eval"}
LITTLE = BreedingSettings(trials=24, cpu_s=30.0)


def with_breeding(settings: Settings, **more: Any) -> Settings:
    """The settings with a small weekly search."""
    return replace(settings, breeding=LITTLE, **more)


@pytest.fixture
def ctx(lotus: Lotus) -> Iterator[StageContext]:
    """A stage context of the tiny home."""
    with stage_context(lotus) as context:
        yield context


@pytest.fixture
def matured(ctx: StageContext, days: list[str], monkeypatch: pytest.MonkeyPatch) -> StageContext:
    """Three matured days, the last one taken for a Monday, few enough for a search."""
    for day in days[1:]:
        for stage in LEARNING_STAGES:
            result = run_stage(ctx, stage, day)
            assert stage.name not in NEEDED or not result.failed_checks
    monkeypatch.setattr(monday, "LEAST_DAYS", 2)
    monkeypatch.setattr(monday, "monday_of", lambda day: day)
    return ctx


def test_off_nothing_is_read(tmp_path: Path) -> None:
    found = breed_monday(Settings(tmp_path / "nowhere"))
    assert found == {"monday": "", "state": "off", "problems": [], "run": {}}
    assert all(held for held, _ in run_checks(found, 5_000).values())


@pytest.mark.warm("first_day")
@pytest.mark.process("whole days through their stages, and two searches")
def test_a_monday_is_bred_once_and_a_model_that_cannot_be_asked_is_named_and_left_out(
    matured: StageContext, days: list[str]
) -> None:
    wrong = LlmSettings(mode="replay", url="http://127.0.0.1:9/v1", model="m", cassettes=str(matured.settings.home))
    settings = with_breeding(matured.settings, llm=wrong)
    found = breed_monday(settings)
    assert (found["monday"], found["state"]) == (days[-1], "bred")
    (problem,) = found["problems"]
    assert "cassette" in problem
    assert found["run"]["trials"] == 24
    assert found["run"]["llm"] == {}
    assert found["run"]["challengers"]["gates"] > 0
    (charged,) = matured.sig.execute("SELECT count(*) FROM candidate_trials WHERE operator = 'gate_of'").fetchone()
    assert charged == found["run"]["challengers"]["gates"]
    checks = run_checks(found, settings.manifest.kernel.window_ms)
    assert {name for name, (held, _) in checks.items() if not held} == {"bred"}
    assert len(candidates_of(matured.sig, matured.branch)) == len(found["run"]["candidates"]) > 0
    assert matured.sig.execute("SELECT count(*) FROM sig_outbox WHERE intent = 'WATCHDOG_ALERT'").fetchone() == (1,)
    charged = trials_ever(matured.sig)
    assert breed_monday(settings)["state"] == "nothing due"
    assert trials_ever(matured.sig) == charged


@pytest.mark.warm("first_day")
@pytest.mark.process("whole days through their stages")
def test_days_that_cannot_be_searched_are_named_and_tried_again(
    matured: StageContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monday, "monday_of", lambda day: "2026-01-05")
    monkeypatch.setattr(monday, "LEAST_DAYS", 1)
    settings = with_breeding(matured.settings)
    for _ in range(2):
        found = breed_monday(settings)
        assert found["state"] == "refused"
        assert "1 whole days" in found["problems"][0]
    assert not run_checks(found, 5_000)["bred"][0]


def row(state: str = "screened", **more: Any) -> dict[str, Any]:
    """A finalist as a run returns it."""
    genome = read(parse("where(imb_10 > 0.25, 1, -0.5)"), 30, 5_000)
    facts = {"candidate_id": genome.canonical, "state": state, "value": 9.0, "bound": 8.0}
    return facts | {"spec": spec_text(genome, -1, "bred_x", "test"), "audits": {"looked": 4, "failed": []}} | more


@pytest.mark.parametrize(
    ("rows", "failed"),
    [
        ([row(), row("refused", audits={})], set()),
        ([row(spec=row()["spec"].replace("0.25", "0.3"))], {"valid"}),
        ([row(spec="no detector")], {"valid"}),
        ([row(audits={})], {"audited"}),
        ([row(audits={"looked": 4, "failed": ["shift"]})], {"audited"}),
        ([row(value=7.9)], {"gated"}),
        ([row(bound=2.0)], {"gated"}),
        ([row(), row(), row()], {"gated"}),
    ],
)
def test_checks_fail_of_what_is_not_itself_not_audited_or_below_the_bar(
    rows: list[dict[str, Any]], failed: set[str]
) -> None:
    run = {"candidates": rows, "n_before": 1_000, "n_after": 1_024}
    found = {"monday": "2026-01-05", "state": "bred", "problems": [], "run": run}
    assert {name for name, (held, _) in run_checks(found, 5_000).items() if not held} == failed
