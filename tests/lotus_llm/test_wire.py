"""The wire: equal prompts are equal bytes and one request."""

from port_bed import endpoint

from lotus.coprocessor.model.port import Prompt
from lotus.coprocessor.model.prompt_text import messages_of
from lotus_llm.wire import is_asked_model, request_of


def test_equal_prompts_are_one_request_and_what_differs_is_another() -> None:
    here = endpoint("http://127.0.0.1:1/v1")
    one, again = (request_of(here, messages_of(Prompt(wanted=2))) for _ in range(2))
    others = [
        request_of(here, messages_of(Prompt(wanted=3))),
        request_of(here, messages_of(Prompt(wanted=2, idea="x"))),
        request_of(endpoint("http://127.0.0.1:2/v1"), messages_of(Prompt(wanted=2))),
    ]
    assert one == again
    assert len({r.request_hash for r in (one, *others)}) == 4
    assert one.body.isascii()


def test_a_model_is_known_by_its_name_and_its_dated_versions() -> None:
    assert is_asked_model("m-4", "m-4")
    assert is_asked_model("m-4", "m-4-2026-01-01")
    assert is_asked_model("m-4", "org/m-4")
    assert not is_asked_model("m-4", "m-40")
    assert not is_asked_model("m-4", "")
