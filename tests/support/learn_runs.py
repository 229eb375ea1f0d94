"""Runs of `lotus learn` for tests: what it tells, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lotus_cli.main import main


def learn(*words: object, code: int = 0) -> Result:
    """Run the command; what is not explained is the test's failure."""
    done = CliRunner().invoke(main, ["learn", *(str(w) for w in words)], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done


def facts_of(folder: Path, *words: object) -> dict[str, Any]:
    """Return the one JSON object of a run."""
    text = learn("--events", folder, "--json", *words).stdout
    assert text.count("\n") == 1
    found: dict[str, Any] = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    return found


def refused(folder: Path, *words: object) -> str:
    """Run a command that must end with 3 and return its explanation."""
    done = learn("--events", folder, *words, code=3)
    assert done.stdout == ""
    text = done.stderr.splitlines()[-1]
    assert text.startswith("lotus: ")
    assert "; expected: " in text
    return text
