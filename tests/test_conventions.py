"""The house rules that a machine can check: sizes, docstrings, names of tests, `docs/glossary.md`, lock files."""

import ast
import re
import statistics
import subprocess
from collections import Counter
from collections.abc import Collection, Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
from pace import IN_EVERY_TURN, LONGEST_FIRST, MARKS
from thorough import campaigns, noted

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ["lotus", *sorted(p.name for p in ROOT.glob("lotus_*") if p.is_dir())]
SOURCES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
LEAST_MIRRORED = 0.8
FOLDER_FILES = 20
HARD_FILE_LINES, HARD_FUNCTION_LINES, P90_FUNCTION_LINES, MEDIAN_FILE_LINES = 600, 80, 35, 120
VAGUE = {"told", "said", "heard", "mine", "known"}
FROZEN = (  # their bytes name the evidence rows, or are the laws of the executor
    "lotus/learning/", "lotus/weave/", "lotus/priors/vocabulary.py", "lotus/simulation/learning_world.py",
    "lotus/simulation/hostile_world.py", "lotus/trading/execution/executor.py",
)  # fmt: skip
MARK = re.compile(r"\bmark\.(" + "|".join(MARKS) + r")\b(\(\s*\"[^\"]{10,}\")?")
SHARED_CLASS_NAMES = {  # public class names that more than one class has, and why
    "Evidence": "lotus/learning defines one, benchmarks/lessons uses the other; their bytes name the evidence rows",
}
OWN_WORDS = (  # every other word of the project is the field's own
    *(
        "strand",
        "braid",
        "weave",
        "lesson",
        "prior",
        "herald",
        "atlas",
        "microtape",
        "kairos",
        "entrainment",
        "curator",
    ),
    *("detector", "expert"),
)
NEEDED = {  # what a file holds that may carry a mark
    "kill": r"SIGKILL|\.kill\(|--kills|--each|kill_server|os\._exit",
    "compile": r"LOTUS_KERNEL_CACHE|lotus warm|from sweep import|microtape\.parser",
    "process": r"subprocess|own_signals|benchmarks\.|\bCli\b|(from|import) lotus_|drill\(",
    "evidence": r"benchmarks\.|learn_night|worlds",
    "clock": r"monotonic|perf_counter|process_time|sleep\(|\.time\(|await until\(",
}


def functions_of(body: list[ast.stmt]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function and method below these statements."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            yield from functions_of(getattr(node, part, []))


def test_files_stay_small() -> None:
    lines = {path: len(path.read_text().splitlines()) for path in SOURCES}
    too_long = {str(p.relative_to(ROOT)): n for p, n in lines.items() if n > HARD_FILE_LINES}
    assert not too_long
    assert statistics.median(lines.values()) <= MEDIAN_FILE_LINES


def test_functions_stay_small() -> None:
    sizes = {
        f"{p.relative_to(ROOT)}:{f.name}": (f.end_lineno or f.lineno) - f.lineno + 1
        for p in SOURCES
        for f in functions_of(ast.parse(p.read_text()).body)
    }
    assert not {name: n for name, n in sizes.items() if n > HARD_FUNCTION_LINES}
    assert statistics.quantiles(sizes.values(), n=10)[8] <= P90_FUNCTION_LINES


def test_folders_stay_readable() -> None:
    """A folder holds at most `FOLDER_FILES` modules; the learner's bytes name the evidence, so it stays as it is."""
    sizes = Counter(str(path.parent.relative_to(ROOT)) for path in SOURCES if path.stem != "__init__")
    assert {name: n for name, n in sizes.items() if n > FOLDER_FILES} == {"lotus/learning": sizes["lotus/learning"]}


def undocumented(path: Path) -> list[str]:
    """Return what of a file has no docstring: the module itself, public functions and classes."""
    tree = ast.parse(path.read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    public = [n for n in tree.body if isinstance(n, kinds) and not n.name.startswith("_")]
    missing = [n.name for n in public if not ast.get_docstring(n)]
    place = str(path.relative_to(ROOT))
    return [f"{place}: {name}" for name in ([] if ast.get_docstring(tree) else ["the module"]) + missing]


def test_public_names_are_documented() -> None:
    assert len(SOURCES) > 500
    assert not [name for path in SOURCES for name in undocumented(path)]


def joined(path: Path) -> str:
    """Return a path below its root as one name: `/` and `_` are alike, and `test_` falls away."""
    return "_".join((*path.parts[:-1], path.stem.removeprefix("test_")))


def heads(name: str) -> list[str]:
    """Return the names that a name is or extends, longest first.

    >>> heads("score_step")
    ['score_step', 'score']
    """
    words = name.split("_")
    return ["_".join(words[:n]) for n in range(len(words), 0, -1)]


def subject_of(test: Path, known: Collection[str]) -> str | None:
    """Return the known name that the name of a test file is, or extends by an aspect (`test_signer_caps.py`)."""
    return next((head for head in heads(joined(test.relative_to(ROOT / "tests"))) if head in known), None)


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph(*ROOMS, cache_dir=None, exclude_type_checking_imports=True)
    imports = TopologicalSorter({name: graph.find_modules_directly_imported_by(name) for name in graph.modules})
    imports.prepare()  # raises CycleError, which names the circle


def vague_names(path: Path) -> list[str]:
    """Return the variables and parameters of a file that say nothing of what they hold; kernels keep theirs."""
    functions = [
        f for f in ast.walk(ast.parse(path.read_text())) if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    plain = [f for f in functions if not any("kernel" in ast.unparse(d) for d in f.decorator_list)]
    nodes = [node for function in plain for node in ast.walk(function)]
    bound = [n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    return [name for name in [*bound, *(n.arg for n in nodes if isinstance(n, ast.arg))] if name in VAGUE]


def test_variables_are_named_after_what_they_hold() -> None:
    bare = {
        str(p.relative_to(ROOT)): vague_names(p) for p in SOURCES if not str(p.relative_to(ROOT)).startswith(FROZEN)
    }
    assert {name: found for name, found in bare.items() if found} == {}


def test_tests_mirror_the_product_by_file_name() -> None:
    """`lotus_x/a/b.py` is mirrored by `tests/lotus_x/a/test_b.py`, a folder written `lotus_x_a` as well.

    A module whose name extends that of one beside it (`b_step.py`) is a part of it and mirrored with it.
    """
    modules = {joined(path.relative_to(ROOT)): path for path in SOURCES if path.stem != "__init__"}
    tested = {subject_of(test, modules) for test in TESTS}
    bare = [
        str(path.relative_to(ROOT))
        for name, path in modules.items()
        if not tested.intersection(name.removesuffix(path.stem) + head for head in heads(path.stem))
    ]
    share = 1 - len(bare) / len(modules)
    assert share >= LEAST_MIRRORED, f"{share:.1%} of {len(modules)} modules are mirrored; without a test: {bare}"


def test_every_test_file_says_what_it_tests() -> None:
    """By its name, that of a module, benchmark or script; else its docstring names the file."""
    known = {joined(path.relative_to(ROOT)) for path in [*SOURCES, *(ROOT / "docs" / "build").glob("*.py")]}
    known |= {joined(path.relative_to(ROOT / "tests")) for path in (ROOT / "tests").glob("*/*.py") if path not in TESTS}
    for path in (ROOT / "benchmarks").rglob("*"):
        known |= {f"benchmarks_smoke_{name}" for name in (path.stem, joined(path.relative_to(ROOT / "benchmarks")))}
    silent = [str(test.relative_to(ROOT)) for test in TESTS if not subject_of(test, known) and not named_in(test)]
    assert not silent


def named_in(test: Path) -> list[str]:
    """Return the files and modules that exist and stand in the docstring of a test file."""
    words = re.findall(r"[\w/.]*\w", ast.get_docstring(ast.parse(test.read_text())) or "")
    paths = [word if "/" in word else word.replace(".", "/") for word in words if "/" in word or "." in word]
    return [path for path in paths if any((ROOT / f"{path}{end}").is_file() for end in ("", ".py"))]


def test_a_class_name_means_one_thing() -> None:
    places: dict[str, list[str]] = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    shared = {name: found for name, found in places.items() if len(found) > 1}
    assert {name: found for name, found in shared.items() if name not in SHARED_CLASS_NAMES} == {}
    assert not [name for name in SHARED_CLASS_NAMES if name not in shared], "no longer shared"


def test_the_architecture_names_every_package_of_the_domain() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    packages = {path.parent.name for path in (ROOT / "lotus").glob("*/__init__.py")}
    assert packages == set(re.findall(r"^\| `lotus/(\w+)` \|", page, re.M))


def test_the_glossary_explains_the_words_of_the_project_and_its_places_exist() -> None:
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \| ([^|]+) \|$", (ROOT / "docs" / "glossary.md").read_text(), re.M)[1:]
    words = " ".join(word for word, _ in rows).lower()
    assert not [word for word in OWN_WORDS if word not in words]
    assert not [
        place for _, places in rows for place in re.findall(r"`([^`]+)`", places) if not (ROOT / place).exists()
    ]


def test_lock_file_names_versions_and_hashes_only() -> None:
    for lock in (*ROOT.glob("requirements*.lock"), *ROOT.glob("tests/bots/*.lock")):
        text = lock.read_text()
        assert not re.search(r"https?://|file:|--(extra-)?index|--find-links", text)
        assert text.count("==") <= text.count("--hash=sha256:")


def bare_output(path: Path) -> list[str]:
    """Return where a file writes to a standard stream by itself, but as the program that it is run as."""
    tree = ast.parse(path.read_text())
    as_program = [node for node in tree.body if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)]
    allowed = {id(node) for block in as_program for node in ast.walk(block)}
    found = [
        node
        for node in ast.walk(tree)
        if id(node) not in allowed
        if (isinstance(node, ast.Name) and node.id == "print")
        or (isinstance(node, ast.Attribute) and ast.unparse(node) in ("sys.stdout", "sys.stderr"))
    ]
    return [f"{path.relative_to(ROOT)}:{node.lineno}" for node in found]


def test_nothing_but_the_command_line_prints() -> None:
    """All else logs; `lotus_store/logs.py` writes the records."""
    printers = {ROOT / "lotus_store" / "logs.py"}
    quiet = [path for path in SOURCES if "lotus_cli" not in path.parts and path not in printers]
    assert not [place for path in quiet for place in bare_output(path)]
    assert bare_output(ROOT / "lotus_cli" / "terminal" / "progress.py"), "what is looked for would be found"


def test_a_logger_is_named_by_its_module() -> None:
    made = re.compile(r"logging\.getLogger\(([^)]*)\)")
    names = {name for path in SOURCES for name in made.findall(path.read_text())}
    assert names == {"__name__", "", '"lotus_live"', '"lotus_desk.watch"'}, "the last two: a program's __name__ is none"


def test_no_machine_specific_text_is_tracked() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    home_or_root = re.compile(r"(/root/|/home/[a-z]+/|/work/)")
    texts = [f for f in tracked if not f.endswith((".npz", ".zst", ".gz", ".lock", ".png")) and (ROOT / f).is_file()]
    assert not [f for f in texts if f != "tests/test_conventions.py" and home_or_root.search((ROOT / f).read_text())]


def test_no_sql_in_f_strings() -> None:
    statement = re.compile(r'f"+[^"]*\b(SELECT|INSERT INTO|UPDATE|DELETE FROM)\b [^"]*{')
    assert not [str(p.relative_to(ROOT)) for p in SOURCES if statement.search(p.read_text())]


def test_nothing_kept_is_changed_in_place_across_an_await() -> None:
    """`self.x += await f()` reads `x` first: what others put there meanwhile is lost."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in [*SOURCES, *(ROOT / "tests").rglob("*.py")]
        if "await" in path.read_text()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.AugAssign) and not isinstance(node.target, ast.Name)
        if any(isinstance(part, ast.Await) for part in ast.walk(node.value))
    ]
    assert not found


def test_a_mark_says_why_and_stands_where_it_is_needed() -> None:
    assert NEEDED.keys() == MARKS.keys()
    wrong, met = [], set()
    for path in TESTS:
        text = path.read_text()
        for mark in MARK.finditer(text):
            met.add(mark[1])
            if not mark[2] or not re.search(NEEDED[mark[1]], text):
                wrong.append(f"{path.relative_to(ROOT)}: {mark[0]}")
    assert not wrong, "a mark without its reason, or on a file that has nothing of the kind"
    assert met == MARKS.keys()
    assert f"SLOW := {' or '.join(MARKS)}\n" in (ROOT / "Makefile").read_text(), "what `make check` leaves out"
    assert not [name for name in (*LONGEST_FIRST, *IN_EVERY_TURN) if not (ROOT / "tests" / name).exists()]


def test_every_campaign_of_the_page_is_there_and_has_a_short_form() -> None:
    page = (ROOT / "docs" / "campaigns.md").read_text()
    scripts = {word for command in campaigns(page).values() for word in command.split() if word.endswith(".py")}
    assert len(campaigns(page)) == page.count("\n| `")
    assert not [script for script in scripts if not (ROOT / script).is_file()]
    tests = "".join(path.read_text() for path in TESTS)
    assert not [script for script in scripts if Path(script).stem not in tests]


def test_what_a_campaign_did_replaces_what_the_page_said_of_it() -> None:
    page = "| `a` | x | `a.py --n 1` | never |\n| `b` | y | `b.py` | never |\n"
    assert noted(page, "b", "today") == page.replace("`b.py` | never", "`b.py` | today")
    assert campaigns(noted(page, "a", "today")) == {"a": "a.py --n 1", "b": "b.py"}
