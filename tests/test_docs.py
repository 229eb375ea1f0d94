"""Pages and code say the same (docs/architecture.md, docs/dependencies.md): places exist, links lead somewhere."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import yaml
from notebooks import notebooks

from lotus_store.lake import REMADE
from lotus_store.ledger import retention
from lotus_store.manifests.model import load_manifest
from lotus_store.postgres.queries import MODULES

ROOT = Path(__file__).resolve().parent.parent
TRACKED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
PAGES = [ROOT / name for name in TRACKED if name.endswith(".md") and not name.startswith("changelog.d/")]
ENDINGS = (".py", ".md", ".toml", ".sql", ".yaml", ".yml", ".lark", ".in", "Makefile", ".ci/run")
NO_TEXTS = {"tests/test_docs.py", "mkdocs.yml", "scripts/docs_site.py"}  # they name pages of the site
TEXTS = [ROOT / name for name in TRACKED if name.endswith(ENDINGS) and name not in NO_TEXTS]
ROOMS = ("lotus", *sorted(path.name for path in ROOT.glob("lotus_*") if path.is_dir()))
IMPORT = re.compile(r"^\s*(?:import|from) (\w+)", re.M)
PLACE = re.compile(r"`([\w/]+\.py):(\w+)`")
FILE = re.compile(
    r"(?<![\w/.-])(?:lotus(?:_[a-z]+)?|tests|benchmarks|scripts|sql|docs|fixtures)/[\w/.-]*\w\.(?:py|sql|yaml|json|csv)\b"
)
PLACEHOLDER = re.compile(r"\b(?:NAME|GROUP|PACKAGE|MODULE|X)\b")
PAGE_NAME = re.compile(r"(?<![\w./-])(?:\.\./)*[\w-][\w/-]*\.md\b")
MADE_BY_TESTS = {"page.md", "pnl.md"}
ELSEWHERE = re.compile(
    r"(?<!RFC 8259, )\b(?:sections?\s+\d|\(?contracts(?:\.md)?\s+\d|\(contracts:|design\s+note|the\s+design\b)"
)
BYTES_NAME_EVIDENCE = {  # files that may not be edited for a word, see `code_of` in benchmarks/lessons/evidence.py
    "benchmarks/lessons/drift.py",
    "benchmarks/lessons/monitor.py",
    "lotus/learning/night.py",
    "lotus/weave/tilt.py",
}
OPEN_POINTS = "docs/NEXT.md"


def test_every_place_that_the_architecture_names_is_there() -> None:
    places = PLACE.findall((ROOT / "docs" / "architecture.md").read_text())
    assert len(set(places)) > 50
    missing = [
        f"{file}:{name}"
        for file, name in places
        if not (ROOT / file).is_file() or not re.search(rf"^\s*(async )?def {name}\b", (ROOT / file).read_text(), re.M)
    ]
    assert not missing


def test_the_architecture_names_every_room() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    assert not [room for room in ROOMS if f"\n| `{room}` |" not in page]


def test_every_file_that_a_page_names_is_there() -> None:
    """A record of a decision and the changelog name the files of their day."""
    pages = [path for path in PAGES if path.parent.name != "adr" and path.name != "CHANGELOG.md"]
    named = {(path.name, file) for path in pages for file in FILE.findall(path.read_text())}
    assert len(named) > 100
    assert not {(page, file) for page, file in named if not PLACEHOLDER.search(file) and not (ROOT / file).is_file()}


def test_no_text_names_a_page_that_is_not_there() -> None:
    known = {path.name for path in PAGES}

    def is_there(name: str, beside: Path) -> bool:
        places = (beside / name, ROOT / name, ROOT / "docs" / name, ROOT / "docs" / "reference" / name)
        return any(place.is_file() for place in places) or ("/" not in name and name in known | MADE_BY_TESTS)

    found = {f"{path.relative_to(ROOT)}: {name}" for path in TEXTS for name in PAGE_NAME.findall(path.read_text())
             if not is_there(name, path.parent)}  # fmt: skip
    assert not found


def test_no_text_leans_on_a_document_that_is_not_there() -> None:
    found = {str(path.relative_to(ROOT)): words for path in TEXTS if (words := ELSEWHERE.findall(path.read_text()))}
    assert not found.keys() - BYTES_NAME_EVIDENCE - {OPEN_POINTS}, found
    assert found.keys() >= BYTES_NAME_EVIDENCE, "one that was mended may leave the list"


def test_every_link_of_a_page_leads_somewhere() -> None:
    wrong = []
    for path in PAGES:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text()):
            if "://" not in target and not (path.parent / target).exists():
                wrong.append(f"{path.relative_to(ROOT)}: {target}")
    assert not wrong


def test_the_site_shows_every_page() -> None:
    def pages_of(nav: object) -> Iterator[str]:
        for part in nav if isinstance(nav, list) else nav.values() if isinstance(nav, dict) else []:
            yield from [part] if isinstance(part, str) else pages_of(part)

    shown = set(pages_of(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]))
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in PAGES if path.is_relative_to(ROOT / "docs")}
    assert pages - shown == {page for page in pages if page.startswith("adr/")}, "the list of records shows these"
    made = {"index.md", "contributing.md", "changelog.md", "adr/index.md"}
    made |= {f"examples/{path.stem}.md" for path in notebooks()}
    assert shown - pages == made, "made by scripts/docs_site.py"


def test_fragments_of_the_changelog_have_a_theme() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["towncrier"]
    themes = "|".join(theme["directory"] for theme in settings["type"])
    names = [path.name for path in (ROOT / "changelog.d").iterdir() if not path.name.startswith(".")]
    wrong = [name for name in names if not re.fullmatch(rf"[\w-]+\.({themes})(\.\d+)?\.md|template\.md\.jinja", name)]
    assert not wrong, f"a fragment is called WHAT.THEME.md, with a theme of {themes}"


def normal(name: str) -> str:
    """Return the name of a distribution as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def named(lines: Iterable[str]) -> set[str]:
    """Return the distributions that lines of requirements name, without this one."""
    found = {normal(re.split(r"[\[<>=~ ]", line)[0]) for line in lines if line and line[0] not in "#-"}
    return found - {"lotus-quant"}


def product_requires() -> set[str]:
    """Return the distributions that the product needs with all its extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return named([*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())])


def developers_require() -> set[str]:
    """Return the distributions that tests, lint, types and docs need beside it."""
    return named((ROOT / "requirements-dev.in").read_text().splitlines())


def bots_require() -> set[str]:
    """Return the distributions of the environments in which real bots are tried."""
    return set().union(*(named(path.read_text().splitlines()) for path in (ROOT / "tests/bots").glob("*.in")))


def imported(rooms: tuple[str, ...]) -> set[str]:
    """Return the distributions from which the files of some folders import."""
    texts = (path.read_text() for room in rooms for path in (ROOT / room).rglob("*.py"))
    tops = {top for text in texts for top in IMPORT.findall(text)} - sys.stdlib_module_names - set(ROOMS)
    installed = packages_distributions()
    return {normal(name) for top in tops for name in installed.get(top, ())}


def tables() -> list[set[str]]:
    """Return the names in the tables of the page of dependencies, one set a section."""
    sections = (ROOT / "docs" / "dependencies.md").read_text().split("\n## ")[1:]
    return [{normal(name) for name in re.findall(r"^\| `([\w-]+)", section, re.M)} for section in sections]


def test_the_page_of_dependencies_names_what_is_required() -> None:
    product, unimported, dev = tables()
    assert product | unimported == product_requires()
    assert dev == developers_require()


def test_the_product_requires_what_it_imports_and_nothing_else() -> None:
    product, unimported, _ = tables()
    found = imported(ROOMS)
    assert product == found
    assert not unimported & found


def test_tests_import_what_is_required() -> None:
    assert imported(("tests", "scripts")) <= product_requires() | developers_require() | bots_require()


def test_no_lock_differs_from_another() -> None:
    pins = [
        dict(re.findall(r"^([\w.-]+)==([\w.+-]+)", (ROOT / lock).read_text(), re.M))
        for lock in ("requirements.lock", "requirements-dev.lock")
    ]
    assert not {name for name in pins[0].keys() & pins[1].keys() if pins[0][name] != pins[1][name]}


def test_the_page_of_retention_answers_for_every_table() -> None:
    """A table that is new has no answer yet: say how long it is kept, and bound it."""
    rows = [line.split("|")[1:3] for line in (ROOT / "docs" / "retention.md").read_text().splitlines() if "|" in line]
    said = {name: kept for names, kept in rows for name in re.findall(r"`([a-z_*]+)`", names)}
    tables = {
        (module, name)
        for module in (*MODULES, "atlas")
        for name, table in load_manifest(module).tables.items()
        if table.kind == "table"
    }
    answered = {(module, name) for module, name in tables for pattern in said if name == pattern.replace("*", module)}
    assert answered == tables
    going = {name for name, kept in said.items() if "`rows_days`" in kept}
    months = {"signal_events", "signal_eval", "signal_eval_horizons"}
    runs = {f"live_{table}" for table in retention.RUN_TABLES}
    messages = {"*_outbox", "*_inbox", "*_dead_letter", "*_gap"}
    assert going == {*months, *runs, *messages, *retention.DAILY, "dm_policy_trials", "tr_trigger_events"}
    assert {name for name, kept in said.items() if "`frames_days`" in kept} == set(REMADE)
