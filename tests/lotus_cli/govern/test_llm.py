"""`lotus llm` in the home of the demo: what would be sent, one real request, calls and budget; off, nothing."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from model_server import answers, completion, serving, specs
from small_home import Cli

from lotus.coprocessor.prompt_text import EXAMPLE
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
