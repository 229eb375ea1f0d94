"""The wheel holds what the product reads, and works where nothing of the checkout is seen.

Here the packages it needs are those of the tests' environment, without a network; `tests/lotus_lab/wheel_campaign.py`
installs them from a registry and measures.
"""

import json
import os
import re
import subprocess
import sysconfig
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest
from wheel import build
from wheel_trial import ROOT, Environment, readme_lines

pytestmark = pytest.mark.process("builds the wheel, and runs programs in an environment of its own")
KERNELS = os.environ.get("LOTUS_KERNEL_CACHE", str(ROOT / ".kernel_cache"))
LACKS = "import sys; sys.modules.update(duckdb=None, psycopg=None, zstandard=None); import lotus_lab as lab\n"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel of this checkout."""
    return build(tmp_path_factory.mktemp("a wheel"))


@pytest.fixture(scope="module")
def env(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Return an environment with the wheel alone, which sees the packages of this one behind it."""
    made = Environment.new(tmp_path_factory.mktemp("wheel in"))
    made.install("--no-deps", "--no-index", str(wheel))
    (made.packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return made


def beyond_the_base() -> list[str]:
    """Return the modules that the extras bring."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"].values()
    names = {re.split(r"[\[<>=~ ]", line)[0].lower().replace("_", "-") for line in chain.from_iterable(extras)}
    owners = packages_distributions().items()
    found = [top for top, whose in owners if {name.lower().replace("_", "-") for name in whose} & names]
    assert {"dagster", "duckdb", "lark", "psycopg", "hyperliquid"} <= set(found)
    return sorted(top for top in found if not top.startswith("lotus"))


def test_it_holds_every_file_of_the_packages_and_the_sql(wheel: Path) -> None:
    listed = ["git", "ls-files", "lotus", "lotus_*", "sql", "dagster.yaml"]
    tracked = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    places = {"sql": "lotus_store/sql", "dagster.yaml": "lotus_resources/dagster.yaml"}
    links = {path for path in tracked if (ROOT / path).is_symlink()}
    assert links == set(places.values())
    expected = set()
    for path in set(tracked) - links:
        top = path.split("/")[0]
        expected.add(places.get(top, top) + path[len(top) :])
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == expected


def test_the_lines_of_the_readme_run_and_nothing_comes_from_the_checkout(env: Environment) -> None:
    hidden = f"import sys; sys.modules.update(dict.fromkeys({beyond_the_base()}))\n"  # as if it were not installed
    printed = env.python(hidden + readme_lines(), LOTUS_KERNEL_CACHE=KERNELS)
    assert "x_flow >= 3 and x_regime = calm" in printed
    assert {path.name for path in env.work.iterdir()} >= {"report.html", "lessons.py"}
    seen = "import lotus_lab, lotus_store, lotus\nfor m in (lotus_lab, lotus_store, lotus): print(m.__file__)"
    assert all(Path(file).is_relative_to(env.packages) for file in env.python(seen).splitlines())


def test_the_command_helps_and_learns(env: Environment) -> None:
    helped = env.run("lotus", "--help")
    assert helped.returncode == 0, helped.stderr
    assert env.run("lotus", "--version").stdout == "lotus, version 0.1.0\n"
    assert env.run("lotus", "learn", "--example", "my events").returncode == 0
    learned = env.run("lotus", "learn", "--events", "my events", "--json", LOTUS_KERNEL_CACHE=KERNELS)
    assert [x["rule"] for x in json.loads(learned.stdout)["lessons"]] == ["x_flow >= 3 and x_regime = calm"]


def test_sql_specifications_and_templates_are_found(env: Environment) -> None:
    env.python(
        "from lotus_store.manifests.model import load_manifest\n"
        "from lotus_store.postgres.queries import MODULES, load_queries\n"
        "from lotus_resources.dagster_home import TEMPLATE\n"
        "from lotus.detectors.registry import known_detectors\n"
        "from lotus.experts.fusion import default_experts\n"
        "for m in MODULES: load_manifest(m); assert load_queries(m)\n"
        "assert TEMPLATE.read_bytes() and known_detectors() and default_experts()\n"
    )


@pytest.mark.parametrize(
    ("code", "extra"),
    [("lab.sql('SELECT 1')", "lab"), ("lab.explain('x')", "platform")],
)
def test_a_missing_extra_is_named(env: Environment, code: str, extra: str) -> None:
    done = env.run("python", "-c", LACKS + code)
    assert f"pip install 'lotus-quant[{extra}]'" in done.stderr.splitlines()[-1]


def test_the_command_without_its_packages_names_the_extra(env: Environment) -> None:
    done = env.run("python", "-c", "import sys; sys.modules['click'] = None; from lotus_cli.entry import main; main()")
    assert done.returncode == 1
    assert done.stderr == (
        "lotus: click is not installed; expected: pip install 'lotus-quant[platform]'; "
        "likely cause: the lab alone was installed\n"
    )
