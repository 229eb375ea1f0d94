"""`lotus llm` in the home of the demo: what would be sent, one real request, calls and budget; off, nothing."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from model_server import Asked, answers, completion, serving, specs, written
from small_home import Cli

from lotus.coprocessor.model.prompt_text import EXAMPLE
from lotus_cli.main import main

ON = ("--branch", "demo-11", "--tape", "demo-11")


def test_without_a_model_the_request_is_shown_and_asking_is_refused(tmp_path: Path) -> None:
    run = CliRunner().invoke(main, ["llm", "check", "--home", str(tmp_path), "--json", "--idea", "fades after sweeps"])
    shown = json.loads(run.stdout)
    assert (shown["mode"], shown["url"], shown["key"]) == ("off", "", "none")
    assert json.loads(shown["body"])["messages"][1]["content"] == shown["messages"][1]["text"]
    assert 'Idea of the operator, in his own words: "fades after sweeps"' in shown["messages"][1]["text"]
    refused = CliRunner().invoke(main, ["llm", "check", "--ask", "--home", str(tmp_path)])
    assert refused.exit_code == 3
    assert list(tmp_path.iterdir()) == []


@pytest.mark.process("in the home that `lotus demo` makes")
def test_one_request_is_sent_shown_listed_and_not_paid_twice(lotus: Cli, tmp_path: Path) -> None:
    wrong = EXAMPLE.replace("calm_lean", "other").replace("spread < 2bps", "spread < 2usd")
    with serving(answers(completion(specs(EXAMPLE, wrong)), completion(specs(EXAMPLE)))) as server:
        toml = tmp_path / "lotus.toml"
        toml.write_text(f'[llm]\nmode = "live"\nurl = "{server.url}"\nmodel = "test-model"\ncalls_run = 2\n')
        shown = lotus.json("llm", "check", *ON, LOTUS_CONFIG=str(toml))
        assert server.requests == []
        assert "A1,1," in shown["messages"][1]["text"]
        found = lotus.json("llm", "check", "--ask", *ON, LOTUS_CONFIG=str(toml))
        assert server.requests[0].body == shown["body"].encode()  # what was shown is what was sent
        again = lotus.json("llm", "check", "--ask", *ON, LOTUS_CONFIG=str(toml))
        assert len(server.requests) == 2
    assert [one["detector_id"] for one in found["proposed"]] == ["calm_lean"]
    assert [call["verdict"] for call in found["calls"]] == ["answered", "answered"]
    assert "spec 2, line " in found["refused_at_first"][0]
    assert [call["sent"] for call in again["calls"]] == [False, False]
    assert again["proposed"] == found["proposed"]
    calls = lotus.json("llm", "calls", "--branch", "demo-11")["calls"]
    assert [(one["verdict"], one["tokens_in"]) for one in calls] == [("answered", 900)] * 2
    assert lotus.json("llm", "budget")["tokens_spent"] == 1920
    toml.write_text(toml.read_text().replace("calls_run = 2", "tokens_day = 1"))
    over = lotus.json("llm", "check", "--ask", "--idea", "one more", *ON, LOTUS_CONFIG=str(toml), code=1)
    assert [(one["verdict"], one["sent"]) for one in over["calls"]] == [("over_budget", False)]


@pytest.mark.process("in the home that `lotus demo` makes")
def test_a_sentence_takes_the_place_of_the_template_where_it_says_what_is_shown(lotus: Cli, tmp_path: Path) -> None:
    def lessons() -> list[dict[str, Any]]:
        found = lotus.json("lessons", "--branch", "demo-11")
        return [one["lesson"] for one in found["beliefs"] if one["lesson"]] + found["lessons"]

    before = lessons()
    assert {one["text_by"] for one in before} == {"template"}
    asked: list[str] = []

    def behave(one: socket.socket, request: Asked) -> None:
        shown = json.loads(request.body)["messages"][1]["content"]
        asked.append(shown)
        many = len(shown.splitlines())
        texts = ["D1 was measured where its rule was seen."] * (many - 1) + ["It was 99 bps."]
        one.sendall(written(200, completion(json.dumps({"sentences": texts}))))

    with serving(behave) as server:
        toml = tmp_path / "lotus.toml"
        toml.write_text(f'[llm]\nmode = "live"\nurl = "{server.url}"\nmodel = "test-model"\n')
        found = lotus.json("llm", "words", "--branch", "demo-11", LOTUS_CONFIG=str(toml))
    assert len(asked) == 1
    assert not any(one["detector_id"] in asked[0] for one in before)
    good = [one for one in found["sentences"] if one["text"]]
    (wrong,) = [one for one in found["sentences"] if one["refused"]]
    assert "'99'" in wrong["refused"]
    after = {one["lesson_id"]: one for one in lessons()}
    assert all(after[one["lesson_id"]]["text_by"] == "test-model" for one in good)
    assert all(one["text"].startswith(after[one["lesson_id"]]["detector_id"]) for one in good)
    assert after[wrong["lesson_id"]]["text_by"] == "template"
    assert len(good) + 1 == len(found["sentences"]) == found["lessons"]


@pytest.mark.process("in the home that `lotus demo` makes")
def test_a_search_asks_the_model_beside_its_operators_and_marks_what_it_proposed(lotus: Cli, tmp_path: Path) -> None:
    with serving(
        answers(completion(specs(EXAMPLE, EXAMPLE.replace("calm_lean", "slow_lean").replace("1m", "5m"))))
    ) as s:
        toml = tmp_path / "lotus.toml"
        toml.write_text(f'[llm]\nmode = "live"\nurl = "{s.url}"\nmodel = "test-model"\nknows_until = "2026-01-02"\n')
        words = ("breed", *ON, "--trials", "12", "--least-days", "2", "--idea", "A thin book fades; it is calm.")
        found = lotus.json(*words, LOTUS_CONFIG=str(toml))
        again = lotus.json(*words, LOTUS_CONFIG=str(toml))
        asked = [json.loads(one.body)["messages"][1]["content"] for one in s.requests]
    assert (found["llm"]["asked"], found["llm"]["proposed"], found["llm"]["failed"]) == (1, 2, {})
    assert len(asked) == 1  # the second run heard the stored answer
    assert "A thin book fades; it is calm." in asked[0]
    assert "A1,1," in asked[0]
    assert (again["bits"], again["n_before"], again["n_after"]) == (found["bits"], found["n_before"], found["n_after"])
    rows = lotus.json("sql", "select origin, knows_until, count(*) as n from sig.candidate_trials group by all")["rows"]
    assert ["llm", "2026-01-02", 2] in rows


@pytest.mark.process("in the home that `lotus demo` makes")
def test_a_dead_reservation_is_released_by_a_command(lotus: Cli) -> None:
    found = lotus.json("llm", "budget", "--release")
    assert (found["reservations_dead"], found["reservations_released"]) == (0, 0)
