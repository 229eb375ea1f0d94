"""`lotus trigger`: read a trigger's text, say what it means or where it fails. Nothing is watched here."""

import click

from lotus.errors import ExpressionError
from lotus_cli.terminal.output import emit, explained, json_option


@click.group("trigger")
def trigger_command() -> None:
    """Conditions of entry as text: check them before a plan carries them."""


@trigger_command.command("check")
@click.argument("text")
@click.option("--if", "preconditions", multiple=True, help="A comparison that must hold when it fires; repeatable.")
@json_option
@explained
def check_command(text: str, preconditions: tuple[str, ...], as_json: bool) -> None:
    """Check TEXT and print it in its one spelling; exit code 1 with line, column and cause when it is no trigger."""
    from lotus.triggers.checker import read_trigger
    from lotus.triggers.conditions import leaves_of

    try:
        trigger = read_trigger(text, preconditions)
    except ExpressionError as error:
        error_facts = {"line": error.line, "column": error.column, "found": error.found, "expected": error.expected}
        emit({"valid": False, **error_facts, "cause": error.cause, "try": error.suggestion}, as_json, str(error))
        raise SystemExit(1) from None
    levels = [
        {
            "part": leaf.text,
            "level": leaf.level.kind.value,
            "lookback": leaf.level.lookback,
            "bar_ms": leaf.level.bar_ms,
        }
        for leaf in leaves_of(trigger.condition)
    ]
    lines = [trigger.text]
    lines += [f"  {x['part']}: {x['level']} of {x['lookback']} bars of {int(x['bar_ms']) / 1e3:g} s" for x in levels]
    result = {"valid": True, "text": trigger.text, "preconditions": list(trigger.precondition_texts), "levels": levels}
    emit(result, as_json, "\n".join(lines))
