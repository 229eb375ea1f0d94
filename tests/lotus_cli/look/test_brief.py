"""`lotus brief`, and the facts and pages behind it: lotus_store/facts/brief/day.py, lotus_store/facts/brief/page.py."""

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from small_home import Cli

from lotus_store.config import load_settings
from lotus_store.facts.brief.day import Brief, Guards, brief_of
from lotus_store.facts.brief.page import MOST, html, markdown, title_of
from lotus_store.lake import Lake

pytestmark = pytest.mark.process("in the home that `lotus demo` makes")

ON = "--branch", "demo-11", "--tape", "demo-11"
HOSTILE = "<script>alert(1)</script>\"' onload=x | [x](http://evil/) \x1b[31m\n# big ![i](//evil/p.png) &amp; `"
SHOWN = (
    "!DOCTYPE",
    "html",
    "head",
    "meta",
    "title",
    "body",
    "div",
    "p",
    "h1",
    "h2",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
)


class Tags(HTMLParser):
    """Collects what a page is made of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.open += [] if tag == "meta" else [tag]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture
def facts(lotus: Cli) -> Brief:
    """The brief of the newest nightly run."""
    settings = load_settings(home=lotus.home, config=lotus.home / "lotus.toml", branch="demo-11", tape="demo-11")
    return brief_of(settings, None, Guards(), with_week=True)


def test_it_tells_what_the_other_commands_tell(lotus: Cli) -> None:
    found = lotus.json("brief", *ON)
    lessons = lotus.json("lessons", "--branch", "demo-11", "--day", found["learned"]["day"])
    assert found["learned"] == lessons | {"asked": found["learned"]["asked"]}
    assert [b["braid_id"] for b in found["night"]["beliefs"]]
    pnl = lotus.json("pnl", "--beliefs", "--day", found["day"], *ON)
    assert found["money"][found["day"]]["styles"] == pnl["beliefs"]["styles"]
    settings = load_settings(home=lotus.home, config=lotus.home / "lotus.toml", branch="demo-11", tape="demo-11")
    gaps = Lake(settings.lake_root).read("tape_gaps", "tape.demo-11", found["day"])
    assert sum(x["gaps"] for x in found["data"]) == len(gaps["asset"])
    assert len(found["lines"]) == 19 + (found["bill"] is not None)
    assert found["week"] == []
    assert all(line["command"].startswith("lotus ") for line in found["lines"])


def test_the_week_has_a_line_for_each_nightly_run_and_the_last_one_left_its_page(lotus: Cli) -> None:
    found = lotus.json("brief", "--week", *ON)
    assert [night["day"] for night in found["week"]] == ["2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08"]
    for night in found["week"]:
        learned = lotus.json("lessons", "--branch", "demo-11", "--day", night["day"])
        assert night["refused"] == len(learned["refused"])
        pnl = lotus.json("pnl", "--beliefs", "--day", night["day"], *ON)
        assert night["gain_usd"] == pnl["beliefs"]["styles"][0]["gain_usd"]
    assert "The week: 4 nightly runs" in lotus("brief", "--week", *ON).stdout
    pages = list((lotus.home / "briefs" / "demo-11").iterdir())
    assert pages
    assert all("The week: " in page.read_text() for page in pages)


def test_every_command_it_names_exists(lotus: Cli) -> None:
    from lotus_cli.main import COMMANDS

    for line in lotus.json("brief", *ON)["lines"]:
        assert line["command"].split()[1] in COMMANDS


def test_the_page_is_whole_in_itself(lotus: Cli, tmp_path: Path) -> None:
    path = tmp_path / "a" / "brief.html"
    text = lotus("brief", "--html", path, *ON).stdout
    page = path.read_text()
    tags = Tags(page)
    assert tags.tags <= set(SHOWN)
    assert tags.attributes <= {"style", "lang", "charset", "name", "content"}
    assert tags.open == []
    assert not any(word in page.lower() for word in ("http", "url(", "src=", "href", "@import", "<script"))
    assert len(page) < 60_000
    for title in ("Is everything all right?", "Believed now", "Refused in the nightly run", "Money", "Data"):
        assert title in text
        assert title in " ".join(tags.words)


def test_texts_of_others_are_shown_and_not_read(facts: Brief) -> None:
    lesson = replace(facts.learned.lessons[0], state="REFUSED", reason=HOSTILE, detector_id=HOSTILE)
    learned = replace(facts.learned, lessons=(lesson,) * (MOST + 5), look={**facts.learned.look, "looked": True})
    hostile = replace(facts, learned=learned, branch=HOSTILE, lines=(replace(facts.lines[0], answer=HOSTILE),))
    tags = Tags(html(hostile))
    assert tags.tags <= set(SHOWN)
    assert tags.attributes <= {"style", "lang", "charset", "name", "content"}
    assert HOSTILE in tags.words
    text = markdown(hostile)
    assert "\x1b" not in text
    assert "](http" not in text.replace("\\](", "")
    assert "<script" not in text.replace("\\<", "")
    assert f"The {MOST} with most evidence" in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert {line.replace("\\|", "").count("|") for line in rows if "alert" in line and "nats" in line} <= {7}


def test_what_is_not_as_it_should_be_is_said_first(lotus: Cli, facts: Brief) -> None:
    settings = load_settings(home=lotus.home, config=lotus.home / "lotus.toml", branch="demo-11", tape="demo-11")
    halted = brief_of(settings, facts.day, Guards("halt"))
    assert halted.lines[-1].colour == "act"
    assert "to act on" in title_of(halted)
    elsewhere = brief_of(replace(settings, tape="nosuch"), facts.day, Guards())
    assert elsewhere.data == ()
    assert "there is no tape of the day" in markdown(elsewhere)
    assert "There is no tape of the day." in html(elsewhere)


def test_without_a_nightly_run_it_says_so(fresh: Cli) -> None:
    assert "has no nightly run of learning" in fresh.refused("brief")
