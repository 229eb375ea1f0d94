"""The port: reserved, sent once, settled, checked; one repair round; record and replay; hostile content."""

import json
from pathlib import Path

import pytest
from model_server import answers, bomb, completion, raw, serving, specs, written
from port_bed import MemoryAccount, port

from lotus.coprocessor.model.calls import CallVerdict, TokenUse
from lotus.coprocessor.model.port import Prompt, RefusalCode
from lotus.coprocessor.model.prompt_text import EXAMPLE
from lotus.errors import ConfigError

PROMPT = Prompt(wanted=2)
GOOD = completion(specs(EXAMPLE))
WRONG = EXAMPLE.replace("mean(imbalance, 1m)", "mean(nosuch, 1m)")


def test_a_good_reply_is_one_call_with_its_specs_and_its_cost(tmp_path: Path) -> None:
    account = MemoryAccount()
    with serving(answers(GOOD)) as server:
        proposal = port(server.url, account, tmp_path).propose(PROMPT)
    assert [one.spec.detector_id for one in proposal.checked.specs] == ["calm_lean"]
    (record,) = account.records
    assert (record.verdict, record.model, record.use) == (CallVerdict.ANSWERED, "test-model", TokenUse(900, 60))
    assert (record.micro_usd, record.usage_told) == (900 + 120, True)
    sent = json.loads(server.requests[0].body)
    assert "tools" not in sent
    assert sent["response_format"]["json_schema"]["strict"] is True
    assert [m["role"] for m in sent["messages"]] == ["system", "user"]


def test_a_refused_spec_is_asked_for_once_more_with_its_place(tmp_path: Path) -> None:
    account = MemoryAccount()
    with serving(answers(completion(specs(WRONG)), GOOD)) as server:
        proposal = port(server.url, account, tmp_path).propose(PROMPT)
    assert len(proposal.checked.specs) == 1
    assert [one.code for one in proposal.at_first] == [RefusalCode.EXPRESSION]
    assert len(server.requests) == len(account.records) == 2
    last = json.loads(server.requests[1].body)["messages"]
    assert [m["role"] for m in last] == ["system", "user", "assistant", "user"]
    assert "spec 1, line 11, column 14: expression: " in last[3]["content"]


def test_there_is_one_repair_round_and_no_more(tmp_path: Path) -> None:
    with serving(answers(completion("no JSON"))) as server:
        proposal = port(server.url, MemoryAccount(), tmp_path).propose(PROMPT)
    assert len(server.requests) == 2
    assert [one.code for one in proposal.checked.refusals] == [RefusalCode.JSON]


def test_a_reply_that_calls_tools_is_refused_and_not_asked_again(tmp_path: Path) -> None:
    call = [{"id": "1", "type": "function", "function": {"name": "shell", "arguments": "{}"}}]
    with serving(answers(completion(None, tool_calls=call))) as server:
        proposal = port(server.url, MemoryAccount(), tmp_path).propose(PROMPT)
    assert len(server.requests) == 1
    assert [one.code for one in proposal.checked.refusals] == [RefusalCode.TOOLS]


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (b"", CallVerdict.WIRE),
        (b"{", CallVerdict.WIRE),
        (b"[" * 100_000, CallVerdict.WIRE),
        (b"\xff\xfe", CallVerdict.WIRE),
        (b"null", CallVerdict.WIRE),
        (b'{"choices": []}', CallVerdict.WIRE),
        (b'{"error": {"message": "x"}}', CallVerdict.WIRE),
        (completion(None), CallVerdict.WIRE),
        (completion([{"type": "text", "text": "x"}]), CallVerdict.WIRE),
        (completion(specs(EXAMPLE), model="other-model"), CallVerdict.OTHER_MODEL),
        (completion(specs(EXAMPLE), model="test-model-2026-01-01"), CallVerdict.ANSWERED),
    ],
)
def test_what_is_no_answer_of_that_model_is_paid_and_not_sent_again(
    body: bytes, verdict: CallVerdict, tmp_path: Path
) -> None:
    account = MemoryAccount()
    with serving(answers(body)) as server:
        one = port(server.url, account, tmp_path)
        first, second = one.propose(PROMPT), one.propose(PROMPT)
    assert [p.calls[0].verdict for p in (first, second)] == [verdict, verdict]
    assert [p.calls[0].again for p in (first, second)] == [False, True]
    assert len(server.requests) == len(account.records) == 1
    assert account.records[0].micro_usd > 0


@pytest.mark.parametrize("usage", [None, {}, "x", (0, 0), (-5, 3), (1 << 60, 3), ("900", "60"), (True, True), (1.5, 2)])
def test_a_usage_that_is_not_told_or_not_believable_is_a_third_of_the_bytes(usage: object, tmp_path: Path) -> None:
    account = MemoryAccount()
    with serving(answers(completion(specs(EXAMPLE), usage=usage))) as server:
        port(server.url, account, tmp_path).propose(PROMPT)
    (record,) = account.records
    assert not record.usage_told
    assert record.use.tokens_in == -(-len(server.requests[0].body) // 3)
    assert 0 < record.use.tokens_out <= 500


def test_what_was_not_paid_may_be_sent_again_and_what_may_have_been_is_not(tmp_path: Path) -> None:
    busy, bombed = MemoryAccount(), MemoryAccount()
    with serving(raw(written(429, b"{}"))) as server:
        for _ in range(2):
            assert port(server.url, busy, tmp_path).propose(PROMPT).calls[0].verdict is CallVerdict.BUSY
    assert [r.micro_usd for r in busy.records] == [0, 0]
    with serving(raw(bomb("x", 1))) as server:
        for _ in range(2):
            assert port(server.url, bombed, tmp_path).propose(PROMPT).calls[0].verdict is CallVerdict.ENCODED
        assert len(server.requests) == 1
    (record,) = bombed.records
    assert record.use.tokens_out == 500  # not read: the worst


def test_what_a_killed_process_left_open_is_settled_by_the_stored_answer(tmp_path: Path) -> None:
    account = MemoryAccount()
    with serving(answers(GOOD)) as server:
        one = port(server.url, account, tmp_path)
        one.propose(PROMPT)
        (request_hash,) = account.documents
        account.records.clear()
        account.left_open = {request_hash: 7}  # killed between the answer and its settlement
        (call,) = one.propose(PROMPT).calls
        assert len(server.requests) == 1
    assert call.again
    assert (account.settled, account.records) == ([1, 7], [call.record])
    assert call.record.use == TokenUse(900, 60)


def test_over_the_budget_nothing_is_sent_and_the_call_is_listed(tmp_path: Path) -> None:
    account = MemoryAccount(refusal="too dear")
    with serving(answers(GOOD)) as server:
        (call,) = port(server.url, account, tmp_path).propose(PROMPT).calls
    assert (call.verdict, call.words, len(server.requests)) == (CallVerdict.OVER_BUDGET, "too dear", 0)
    assert account.records[0].micro_usd == 0


def test_what_is_recorded_is_replayed_without_a_server_and_a_miss_is_an_error(tmp_path: Path) -> None:
    with serving(answers(completion(specs(WRONG)), GOOD)) as server:
        recorded = port(server.url, MemoryAccount(), tmp_path, "record").propose(PROMPT)
    assert len(list(tmp_path.glob("*.json"))) == 2
    account = MemoryAccount()
    replaying = port(server.url, account, tmp_path, "replay")
    replayed = replaying.propose(PROMPT)
    assert replayed.checked == recorded.checked
    assert [r.micro_usd for r in account.records] == [0, 0]
    assert account.reserved == 0
    with pytest.raises(ConfigError, match="there is no cassette"):
        replaying.propose(Prompt(wanted=3))


def test_off_is_no_port(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"llm\.mode is 'off'"):
        port("http://127.0.0.1:9/v1", MemoryAccount(), tmp_path, "off")


def test_complete_gives_the_reply_and_says_why_there_is_none(tmp_path: Path) -> None:
    with serving(answers(GOOD)) as server:
        assert port(server.url, MemoryAccount(), tmp_path).complete(PROMPT).content == specs(EXAMPLE)
    with pytest.raises(ConfigError, match=r"no reply \(unreachable\)"):
        port("http://127.0.0.1:9/v1", MemoryAccount(), tmp_path).complete(PROMPT)
