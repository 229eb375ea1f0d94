"""`lotus_console/server.py` in a real browser, from Home by clicking only: why a number is what it is, and acts.

The home is one of its own, since acts alter it. Pictures of what was seen stay in `.artefacts`.
"""

import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import Browser, browser
from free_port import free_port
from small_home import Cli

from lotus_console.sections import SECTIONS

ROOT = Path(__file__).resolve().parents[2]
BRANCH = "demo-11"
TOKEN = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
NARROW = {"width": 390, "height": 844}
pytestmark = pytest.mark.process("`lotus demo` in a home of its own, and the console over it in a browser")


@pytest.fixture(scope="module")
def address(new_home: Callable[[], Cli]) -> Iterator[str]:
    """The console over a home in which the demo has run."""
    lotus, port = new_home(), free_port()
    lotus.demo("--json")
    environment = {**os.environ, "LOTUS_HOME": str(lotus.home), "LOTUS_CONFIG": str(lotus.home / "lotus.toml")}
    environment |= {"LOTUS_TAPE": BRANCH, "LOTUS_BRANCH": BRANCH, "LOTUS_PAGES_TOKEN": TOKEN, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-P", "-m", "lotus_cli", "console", "--port", str(port)]
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as served:
        try:
            assert served.stdout is not None
            assert "console http://" in served.stdout.readline()
            place = f"http://127.0.0.1:{port}"
            wait_for(place)
            yield place
        finally:
            served.send_signal(signal.SIGINT)
            served.wait(30)


def wait_for(place: str) -> None:
    """Wait until the console answers."""
    for _ in range(200):
        try:
            read(place, "/")
            return
        except OSError:
            subprocess.run(["sleep", "0.1"], check=True)
    raise AssertionError(f"{place} does not answer")


def read(place: str, path: str) -> str:
    """Return a page as a program without JavaScript reads it."""
    asked = urllib.request.Request(place + path, headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(asked, timeout=20) as answer:
        text: str = answer.read().decode()
    return text


@pytest.fixture(scope="module")
def tab(address: str) -> Iterator[Browser]:
    """A browser that is let in; every address that it asks for is on this machine."""
    with browser(address, TOKEN) as opened:
        asked: list[str] = []
        opened.page.on("request", lambda request: asked.append(request.url))
        yield opened
        elsewhere = [url for url in asked if not url.startswith((address, "data:"))]
        assert elsewhere == []


def test_why_the_last_moved_window_was_published_and_what_would_end_it(tab: Browser) -> None:
    page = tab.page
    page.goto(f"{tab.address}/")
    tab.keep("console-home")
    page.get_by_role("link", name="Loom", exact=True).click()
    assert "published with" in page.inner_text("h1")
    text = page.inner_text("main")
    steps = [float(x) for x in re.findall(r"^([-+]\d+\.\d{4})\t", text.replace("−", "-"), re.M)]
    assert "the daemon's number" in text
    assert "What would end it" in text
    tab.keep("console-loom")
    assert steps == [] or steps[-1] == pytest.approx(sum(steps[:-1]), abs=2e-4)
    page.get_by_role("link", name="20 windows").first.click()
    assert page.locator("svg").count() >= 3, "charts of the frames"
    tab.keep("console-windows")


def test_what_was_refused_and_why_and_what_beliefs_earned(tab: Browser) -> None:
    page = tab.page
    page.goto(f"{tab.address}/")
    page.get_by_role("link", name="Lessons", exact=True).click()
    page.get_by_role("link", name="What was refused last night").click()
    refused = page.inner_text("main")
    assert "REFUSED" in refused
    assert re.search(r"nats|publications|days|audit|support", refused), "the number that failed"
    tab.keep("console-refused")
    page.go_back()
    page.get_by_role("link", name="What beliefs earned").click()
    assert "without beliefs" in page.inner_text("main")
    tab.keep("console-money")


def test_a_version_is_gone_back_to_after_a_preview_and_the_act_is_undone(tab: Browser) -> None:
    page = tab.page
    page.goto(f"{tab.address}/")
    page.get_by_role("link", name="What waits for a reviewer?").click()
    page.locator('a[href^="/curation/act/rollback"]').last.click()
    page.get_by_label("who speaks").fill("walker")
    page.get_by_label("why, in your words").fill('<b>"yesterday"</b>')
    page.get_by_role("button", name="Show what it would change").click()
    assert "walker" in page.inner_text("main")
    tab.keep("console-preview")
    page.get_by_role("button", name="Go back now").click()
    page.get_by_text("Sent.").wait_for()
    assert '<b>"yesterday"</b>' in page.inner_text("main"), "shown as it was written"
    page.get_by_role("link", name="Undo …").first.click()
    page.get_by_label("who speaks").fill("walker")
    page.get_by_role("button", name="Show what it would change").click()
    page.get_by_role("button", name="Go back now").click()
    page.get_by_text("Sent.").wait_for()
    tab.keep("console-undone")


def test_an_act_that_waits_is_undone_before_it_is_applied(tab: Browser) -> None:
    page = tab.page
    page.goto(f"{tab.address}/curation")
    page.locator('a[href^="/curation/act/reject"]').first.click()
    page.get_by_label("who speaks").fill("walker")
    page.get_by_label("reason").select_option("other")
    page.get_by_label("why, in your words").fill("two\nlines")
    page.get_by_role("button", name="Show what it would change").click()
    page.get_by_role("button", name="Send it").click()
    page.get_by_text("Sent.").wait_for()
    page.get_by_role("link", name="Undo …").first.click()
    assert page.inner_text("h1") == "Leave out the reject by walker that waits?"
    page.get_by_label("who speaks").fill("walker")
    page.get_by_role("button", name="Show what it would change").click()
    page.get_by_role("button", name="Send it").click()
    assert "leaves out the act" in page.get_by_role("status").inner_text()
    tab.keep("console-left-out")


def test_every_section_is_accessible_fits_a_telephone_and_reads_without_javascript(tab: Browser) -> None:
    places = {section.place for section in SECTIONS} | {f"/{t.name}" for s in SECTIONS for t in s.tables}
    found: dict[str, object] = {}
    for place in sorted(places):
        assert "<table" in read(tab.address, place) or place in {s.place for s in SECTIONS}
        tab.page.goto(tab.address + place)
        violations = Axe().run(tab.page).response["violations"]
        tab.page.set_viewport_size(NARROW)
        wide = tab.page.evaluate("document.scrollingElement.scrollWidth")
        tab.page.set_viewport_size({"width": 1500, "height": 950})
        if violations or wide > NARROW["width"]:
            found[place] = [v["id"] for v in violations], wide
    assert found == {}
