"""Home: a question a line, each with its answer, its colour and what to do when it is not green."""

from collections.abc import Mapping
from typing import Any

from lotus_console.reading import HomeReading
from lotus_console.views import Facts, PageView

GREEN, AMBER, RED = "green", "amber", "red"


def home_facts(reading: HomeReading, _given: Mapping[str, str]) -> Facts:
    """Return the lines of the page, worst first."""
    lines = [_beliefs(reading)]
    waiting = [line for line in lines if line["colour"] != GREEN]
    title = "Everything is as it should be" if not waiting else f"{len(waiting)} of {len(lines)} lines are not green"
    return {"title": title, "lines": lines}


def _beliefs(reading: HomeReading) -> dict[str, Any]:
    nights = reading.rows("sig", "nights")
    newest = nights[0]["day"] if nights else None
    answer = f"the newest nightly run is of {newest}" if newest else "no nightly run yet"
    return line("How old are beliefs?", answer, GREEN if newest else AMBER, "lotus backfill", "/lessons")


def line(question: str, answer: str, colour: str, command: str, place: str = "") -> dict[str, Any]:
    """Return one line; `command` is what to run when it is not green, `place` the page behind it."""
    return {"question": question, "answer": answer, "colour": colour, "command": command, "place": place}


HOME = PageView("/", "Home", "Is everything all right?", home_facts, "home.html")
