"""Replies: one form, bounds, authority, places of what is wrong, canonical text."""

import json

import pytest

from lotus.coprocessor.model.canonical_text import canonical_text
from lotus.coprocessor.model.port import REPLY_BYTES, ModelReply, RefusalCode
from lotus.coprocessor.model.prompt_text import EXAMPLE
from lotus.coprocessor.model.reply_check import CheckedReply, check_reply

MANY_PARAMS = EXAMPLE.replace("  full: 0.6", "  full: 0.6\n" + "\n".join(f"  p{k}: {k}.5" for k in range(6))).replace(
    "lean / full", "lean / full + p0 + p1 + p2 + p3 + p4 + p5"
)


def checked(*texts: str, **reply: object) -> CheckedReply:
    """Check a reply with these specs."""
    return check_reply(ModelReply(json.dumps({"specs": list(texts)}), "m", **reply))  # type: ignore[arg-type]


def code_of(result: CheckedReply) -> RefusalCode:
    """Return the one refusal."""
    assert not result.specs
    (refusal,) = result.refusals
    return refusal.code


def test_the_example_of_the_prompt_is_a_spec() -> None:
    (one,) = checked(EXAMPLE).specs
    assert (one.spec.detector_id, one.spec.horizon_s, one.spec.status) == ("calm_lean", 30, "experimental")
    assert one.text == canonical_text(one.spec)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "json"), ("null", "form"), ("[]", "form"), ('{"specs": []}', "form"), ('{"specs": [1]}', "form"),
        ('{"specs": "x"}', "form"), ('{"specs": ["x"], "note": "y"}', "form"),
        ('{"specs": ["x"], "specs": ["y"]}', "json"),
        ('```json\n{"specs": ["x"]}\n```', "json"), ('{"specs": [NaN]}', "json"), ("[" * 5000, "json"),
        ('"\\ud800', "json"),
        ("\ud800", "json"), (" " * (REPLY_BYTES + 1), "size"), (json.dumps({"specs": ["x"] * 9}), "many"),
    ],
)  # fmt: skip
def test_a_reply_of_another_form_is_refused_whole(content: str, code: str) -> None:
    assert code_of(check_reply(ModelReply(content, "m"))) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (EXAMPLE + "status: active\n", "authority"),
        (EXAMPLE + "entry: join\n", "authority"),
        (EXAMPLE.replace("horizon: 30s", "horizon: 60s"), "bounds"),
        (EXAMPLE.replace("mean(imbalance, 1m)", "mean(mean(imbalance, 100m), 100m)"), "bounds"),
        (MANY_PARAMS, "bounds"),
        (EXAMPLE.replace("A book", "See https://example.com"), "words"),
        (EXAMPLE.replace("A book", "<b>A book</b>"), "words"),
        (EXAMPLE + "note: x\n", "expression"),
        (EXAMPLE.replace("imbalance", "nosuch"), "expression"),
        (EXAMPLE.replace("2bps", "2usd"), "expression"),
        ("\ud800", "spec"),
        ("", "spec"),
        ("x" * 20_000, "spec"),
    ],
)
def test_a_spec_that_may_not_be_proposed_is_refused_by_itself(text: str, code: str) -> None:
    assert code_of(checked(text)) == code
    both = checked(text, EXAMPLE)
    assert len(both.specs) == len(both.refusals) == 1
    assert both.refusals[0].spec == 1


def test_a_name_is_free_and_a_detector_is_proposed_once() -> None:
    assert code_of(check_reply(ModelReply(json.dumps({"specs": [EXAMPLE]}), "m"), ["calm_lean"])) == "name"
    other = EXAMPLE.replace("detector_id: calm_lean", "detector_id: other")
    assert [r.code for r in checked(EXAMPLE, EXAMPLE).refusals] == ["twice"]
    assert len(checked(EXAMPLE, other).specs) == 2


def test_tools_and_a_cut_answer_are_refused() -> None:
    assert code_of(checked(EXAMPLE, tool_calls=True)) == "tools"
    assert code_of(checked(EXAMPLE, finish="length")) == "length"


def test_what_is_around_the_meaning_does_not_survive() -> None:
    dressed = "# call me\n" + EXAMPLE.replace("0.6", "&x 0.6 # <script>") + "# bye\n"
    (one,) = checked(dressed).specs
    assert one == checked(EXAMPLE).specs[0]


def test_a_refusal_names_its_place_in_one_line() -> None:
    (refusal,) = checked(EXAMPLE.replace("1m)", "1m")).refusals
    assert (refusal.line, refusal.spec) == (11, 1)
    assert refusal.line_of_text.startswith(f"spec 1, line 11, column {refusal.column}: expression: ")
    assert refusal.line_of_text.isprintable()
