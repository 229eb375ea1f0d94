"""`lotus_console/server.py` in a real browser, from Home by clicking only: why a number is what it is, and acts.

The home is a copy of the demo's, since acts alter it. Pictures of what was seen stay in `.artefacts`.
"""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import Browser, browser
from free_port import free_port
from markupsafe import escape
from small_home import Cli, Facts

from lotus_console.render import text_of
from lotus_console.sections import SECTIONS
from lotus_store.private import name_of_home

ROOT = Path(__file__).resolve().parents[2]
BRANCH = "demo-11"
TOKEN = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
SAMPLE = re.compile(r"^\d+ windows$")
NARROW = {"width": 390, "height": 844}
pytestmark = pytest.mark.process("the console over a copy of the demo's home, in a browser")


@pytest.fixture(scope="module")
def walked(demo_run: Callable[[bool], tuple[Cli, Facts]]) -> Cli:
    """The command line of the home that is walked through."""
    return demo_run(True)[0]


@pytest.fixture(scope="module")
def address(walked: Cli) -> Iterator[str]:
    """The console over a home in which the demo has run."""
    lotus, port = walked, free_port()
    environment = {**os.environ, "LOTUS_HOME": str(lotus.home), "LOTUS_CONFIG": str(lotus.home / "lotus.toml")}
    environment |= {"LOTUS_TAPE": BRANCH, "LOTUS_BRANCH": BRANCH, "LOTUS_PAGES_TOKEN": TOKEN, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-P", "-m", "lotus_cli", "console", "--port", str(port)]
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as served:
        try:
            assert served.stdout is not None
            assert f"console http://{name_of_home(lotus.home)}:{port}/?token=" in served.stdout.readline()
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
        opened.page.goto(f"{address}/?token={TOKEN}")
        yield opened
        places = {(parts.scheme, parts.netloc) for parts in map(urlsplit, asked) if parts.scheme != "data"}
        assert places == {("http", urlsplit(address).netloc)}


def rows_of(place: str, path: str) -> list[dict[str, Any]]:
    """Return the rows of a table as `/api/v1` gives them."""
    found: list[dict[str, Any]] = json.loads(read(place, f"/api/v1{path}"))["rows"]
    return found


def test_why_the_last_moved_window_was_published_and_what_would_end_it(walked: Cli, tab: Browser) -> None:
    """Lesson, amounts and sum are those of `lotus explain`, which computes every number again."""
    page = tab.page
    page.goto(f"{tab.address}/")
    tab.keep("console-home")
    days = rows_of(tab.address, "/money_days?order=day")
    assert len(days) > 3
    assert f"{len(days)} days" in page.inner_text("aside"), "a curve over the days that were priced"
    assert page.locator("aside figure.chart path").count() == 2
    page.get_by_role("link", name="Loom", exact=True).click()
    tab.keep("console-loom")
    event = str(page.get_by_role("link", name="frames and raw lines").get_attribute("href")).rpartition("/")[2]
    story = walked.json("explain", event, "--tape", BRANCH)
    taught = [belief["lesson_id"] for belief in story["beliefs"] if belief["lesson_id"]]
    assert taught, "a window that a lesson moved"
    shown = page.locator('aside a[href^="/lessons/"]').evaluate_all("links => links.map(x => x.getAttribute('href'))")
    assert set(shown) == {f"/lessons/{lesson}" for lesson in taught}
    names = page.locator("table.trace tbody td:nth-child(1)").all_inner_texts()
    *steps, whole = [float(x) for x in page.locator("table.trace tbody td:nth-child(2)").all_inner_texts()]
    assert names[-1] == "the daemon's number"
    assert len(steps) >= 2
    assert steps[0] == pytest.approx(story["event"]["u0"], abs=6e-5), "the score before beliefs"
    assert whole == pytest.approx(story["event"]["u"], abs=6e-5)
    assert sum(steps) == pytest.approx(whole, abs=5e-5 * (len(steps) + 1))
    assert any(abs(step) > 1e-4 for step in steps[1:]), "it was moved"
    ends = page.locator("aside details").first.inner_text()
    assert re.search(r"What would end it\s+.*e >= 20.*e stands at \d", ends, re.S)
    page.get_by_role("link", name=SAMPLE).first.click()
    tab.keep("console-windows")


def test_a_sample_window_shows_market_experts_and_outcome_and_leads_to_its_raw_lines(tab: Browser) -> None:
    """Every number of a chart is a cell of a table, and the lines are those of the tape."""
    page = tab.page
    page.goto(f"{tab.address}/loom")
    page.get_by_role("link", name=SAMPLE).first.click()
    cards = page.locator("section.card").all()
    shown = json.loads(read(tab.address, f"/api/v1{urlsplit(page.url).path}"))
    assert len(cards) == len(shown["windows"]) > 0
    assert shown["missing"] == 0, "the whole sample is there"
    for card in cards:
        names = card.locator("figure.chart").evaluate_all("all => all.map(one => one.innerText)")
        for part in ("price", "spread", "book", "imbalance", "trades", "experts"):
            assert any(name.startswith(part) for name in names), (part, names)
        assert re.search(r"(published with|it would have paid).*bps", card.inner_text(), re.S), "its outcome"
        assert re.search(r"At its close: [\w ]+ (up|down) \d", card.inner_text()), "who spoke, which way, how loudly"
    cards[0].get_by_role("link", name="numbers").click()
    (event,) = {row["event_id"] for row in rows_of(tab.address, page.url.removeprefix(tab.address))}
    frames = rows_of(tab.address, f"/frames?event_id={event}&limit=500")
    assert len(frames) > 100
    assert sum(row["buy_usd"] + row["sell_usd"] for row in frames) > 0.0
    calls = rows_of(tab.address, f"/expert_calls?event_id={event}&limit=500")
    assert {call["calls"] for call in calls} >= {"up", "down"}
    assert all(0.5 <= call["right"] <= 1.0 for call in calls if call["right"] is not None)
    page.go_back()
    page.locator("section.card").first.get_by_role("link", name="raw lines").click()
    lines = rows_of(tab.address, f"/tape_lines?event_id={event}&limit=500")
    assert page.inner_text("h1").startswith(f"{len(lines):,} lines of tape")
    assert [line["seq"] for line in lines] == list(range(lines[0]["seq"], lines[0]["seq"] + len(lines)))
    assert {json.loads(line["text"])["channel"] for line in lines} >= {"bbo", "l2Book"}
    page.locator("tbody a").first.click()
    assert page.url.endswith(f"/windows/{event}")
    tab.keep("console-window")


def test_what_was_refused_and_why_and_what_beliefs_earned(walked: Cli, tab: Browser) -> None:
    page = tab.page
    page.goto(f"{tab.address}/")
    page.get_by_role("link", name="Lessons", exact=True).click()
    page.get_by_role("link", name="What was refused last night").click()
    page.wait_for_load_state()
    asked = urlsplit(page.url)
    rows = rows_of(tab.address, f"{asked.path}?{asked.query}")
    assert rows
    assert {row["state"] for row in rows} == {"REFUSED"}
    refused = page.inner_text("main")
    for row in rows:
        assert re.search(r"\d", row["reason"]), "the number that failed"
        assert row["reason"] in refused
    tab.keep("console-refused")
    page.go_back()
    page.get_by_role("link", name="What chance alone would show").click()
    assert re.search(r"at most \d+ of \d+ nights would have shown a lesson", page.inner_text("h1"))
    assert page.locator("figure.chart svg").count() == 2
    tab.keep("console-noise")
    page.go_back()
    page.get_by_role("link", name="What beliefs earned").click()
    crossing = walked.json("pnl", "--beliefs", "--tape", BRANCH, "--branch", BRANCH)["beliefs"]["styles"][0]
    assert f"{crossing['with_beliefs']['usd']:+,.2f}" in page.inner_text("main")
    assert f"{crossing['without']['usd']:+,.2f}" in page.inner_text("main")
    tab.keep("console-money")


def test_live_shows_what_was_not_published_and_why_and_the_rate_budget(tab: Browser) -> None:
    page = tab.page
    page.goto(f"{tab.address}/")
    page.get_by_role("link", name="Live", exact=True).click()
    accounts = json.loads(read(tab.address, "/api/v1/live"))["rate"]
    assert {row["account"] for row in accounts} >= {"probes-long", "probes-short", "book"}
    assert all(0 <= row["weight"] <= row["limit"] for row in accounts)
    assert accounts[0]["account"] in page.inner_text("main")
    tab.keep("console-live")
    page.get_by_role("link", name="Scores", exact=True).click()
    rows = rows_of(tab.address, "/scores?limit=500")
    detectors, coins = {row["detector_id"] for row in rows}, {row["asset"] for row in rows}
    newest = [row for row in rows if row["window_end_ms"] == rows[0]["window_end_ms"]]
    assert len(newest) == len(detectors) * len(coins)
    for row in rows:
        assert row["published"] == (not row["veto"] and row["draw"] < row["pi"])
        assert ("vetoed" in row["why"]) == bool(row["veto"])
    assert rows[0]["why"] in page.inner_text("main")
    tab.keep("console-scores")


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


def test_every_table_reads_without_javascript(address: str) -> None:
    for table in (table for section in SECTIONS for table in section.tables):
        rows, text = rows_of(address, f"/{table.name}"), read(address, f"/{table.name}")
        body = text.partition("<tbody>")[2].partition("</tbody>")[0]
        assert body.count("<tr") == max(1, len(rows)), table.name
        shown = next(column for column in table.columns if column.is_shown)
        for row in rows:
            assert escape(text_of(shown.kind, row[shown.name])) in body, (table.name, row)


def test_every_page_is_accessible_in_both_themes_and_fits_a_telephone(tab: Browser) -> None:
    places = {section.place for section in SECTIONS} | {f"/{t.name}" for s in SECTIONS for t in s.tables}
    lesson, braid = (rows_of(tab.address, f"/{name}")[0][f"{name[:-1]}_id"] for name in ("lessons", "braids"))
    places |= {
        f"/lessons/{lesson}",
        f"/braids/{braid}",
        f"/braids/{braid}/windows",
        "/beliefs/money",
        "/beliefs/now",
        "/noise",
    }
    places |= {f"/windows/{rows_of(tab.address, '/frames')[0]['event_id']}"}
    places |= {f"/curation/act/reject?target={braid}"}
    found: dict[str, object] = {}
    for place in sorted(places):
        tab.page.goto(tab.address + place)
        wrong = [v["id"] for v in Axe().run(tab.page).response["violations"]]
        tab.page.emulate_media(color_scheme="dark")
        wrong += [v["id"] for v in Axe().run(tab.page, options={"runOnly": ["color-contrast"]}).response["violations"]]
        tab.page.emulate_media(color_scheme="light")
        tab.page.set_viewport_size(NARROW)
        wide = tab.page.evaluate("document.scrollingElement.scrollWidth")
        tab.page.set_viewport_size({"width": 1500, "height": 950})
        if wrong or wide > NARROW["width"]:
            found[place] = wrong, wide
    assert found == {}
