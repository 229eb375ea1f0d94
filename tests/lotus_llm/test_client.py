"""One POST over real HTTP: whatever a server does ends in time, within bounds, with a verdict."""

import time

import pytest
from model_server import bomb, completion, dripping, raw, serving, specs, written
from port_bed import endpoint

from lotus.coprocessor.model.calls import CallVerdict
from lotus_llm.client import ANSWER_BYTES, post

HEAD = b"HTTP/1.1 200 x\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
GOOD = written(200, completion(specs("x")))
BAD = {
    "silent": (raw(wait_s=1.0), CallVerdict.CUT),
    "says nothing in time": (raw(b"", wait_s=30.0), CallVerdict.SLOW),
    "drips headers": (dripping(b"HTTP/1.1 200 x\r\n", [b"X: y\r\n"], 0.02), CallVerdict.SLOW),
    "drips a body": (dripping(CHUNKED, [b"1\r\n \r\n"], 0.02), CallVerdict.SLOW),
    "endless chunks": (dripping(CHUNKED, [b"10000\r\n" + b" " * 65536 + b"\r\n"], 0.0), CallVerdict.HUGE),
    "10 MB": (raw(written(200, b" " * (10 << 20))), CallVerdict.HUGE),
    "a length that is not sent": (raw(HEAD + b"Content-Length: 5000\r\n\r\n{"), CallVerdict.CUT),
    "cut in a chunk": (raw(CHUNKED + b"ff\r\n{"), CallVerdict.CUT),
    "no HTTP": (raw(b"SSH-2.0-OpenSSH\r\n\r\n"), CallVerdict.CUT),
    "a gzip bomb": (raw(bomb("x", 100)), CallVerdict.ENCODED),
    "huge headers": (raw(HEAD + b"X: " + b"y" * (4 << 20) + b"\r\n\r\n"), CallVerdict.CUT),
    "two lengths": (raw(HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"), CallVerdict.CUT),
    "a redirect": (raw(written(302, b"", "Location: http://127.0.0.1:9/")), CallVerdict.REDIRECT),
    "a lasting redirect": (raw(written(308, b"", "Location: /elsewhere")), CallVerdict.REDIRECT),
    "busy": (raw(written(429, b"{}", "Retry-After: 1")), CallVerdict.BUSY),
    "failed": (raw(written(500, b"<html>")), CallVerdict.FAILED),
    "forbidden": (raw(written(401, b"{}")), CallVerdict.FAILED),
    "no content": (raw(b"HTTP/1.1 204 x\r\n\r\n"), CallVerdict.FAILED),
}


@pytest.mark.parametrize("name", BAD)
def test_whatever_a_server_does_has_a_verdict_in_time(name: str) -> None:
    behaviour, verdict = BAD[name]
    with serving(behaviour) as server:
        began = time.monotonic()
        answer = post(endpoint(server.url, 1.0 if verdict is CallVerdict.SLOW else 5.0), b"{}")
        took_s = time.monotonic() - began
    assert answer.verdict is verdict
    assert len(answer.body) <= ANSWER_BYTES
    assert took_s < 10.0
    assert len(server.requests) == 1  # no second try, and nothing followed


def test_a_server_that_is_not_there_was_sent_nothing() -> None:
    assert post(endpoint("http://127.0.0.1:9/v1"), b"{}").verdict is CallVerdict.UNREACHABLE


def test_an_answer_comes_as_it_was_sent_and_the_key_is_in_a_header_alone() -> None:
    with serving(raw(GOOD)) as server:
        answer = post(endpoint(server.url, key="sk-secret"), b'{"a":1}')
    assert (answer.verdict, answer.status, answer.body) == (CallVerdict.ANSWERED, 200, completion(specs("x")))
    (asked,) = server.requests
    assert asked.line == "POST /v1/chat/completions HTTP/1.1"
    assert asked.headers["authorization"] == "Bearer sk-secret"
    assert asked.headers["accept-encoding"] == "identity"
    assert asked.body == b'{"a":1}'


def test_a_server_that_repeats_the_key_does_not_bring_it_into_the_answer() -> None:
    with serving(raw(written(500, b"your key sk-secret is wrong"))) as server:
        assert post(endpoint(server.url, key="sk-secret"), b"{}").body == b"your key *** is wrong"


@pytest.mark.parametrize(
    "written_as",
    [rb"sk\/a+b=", rb"\u0073k/a\u002Bb=", rb"\\u0073k\\\/a+b=", b"".join(b"\\u%04x" % c for c in b"sk/a+b=")],
)
def test_a_key_that_comes_back_in_escapes_of_json_is_not_in_the_answer_either(written_as: bytes) -> None:
    with serving(raw(written(401, b'{"error": "no key ' + written_as + b'"}'))) as server:
        assert post(endpoint(server.url, key="sk/a+b="), b"{}").body == b'{"error": "no key ***"}'


def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with serving(raw(GOOD)) as server:
        assert post(endpoint(server.url), b"{}").verdict is CallVerdict.ANSWERED
