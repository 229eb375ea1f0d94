"""`docs/build/notebooks.py`: the notebooks of `examples/` run from nothing, and their pages hold what cells show."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from notebooks import Cell, cells, notebooks, page

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = notebooks()
CODE = "import sys; from pathlib import Path; from notebooks import page; sys.stdout.write(page(Path(sys.argv[1])))"
SHOWS = {
    "detector": ("spoke in", "agr_imb", "earns its cost"),
    "lesson": ("x_flow &gt;= 3", "<svg"),
    "local_exchange": ("bought 0.01 at", "must have minimum value of $10", "ended with 0"),
    "noise": ("&#x27;significant&#x27; at 5 %", "0 lessons", "<svg"),
    "own_csv": ("has no column ts", "1 lesson passed", "True"),
    "randomise_a_bot": ("x_depth", "acted on"),
}


def test_every_notebook_has_a_test_and_a_page() -> None:
    assert {path.stem for path in NOTEBOOKS} == SHOWS.keys()
    nav = (ROOT / "mkdocs.yml").read_text()
    assert not [path.stem for path in NOTEBOOKS if f"examples/{path.stem}.md" not in nav]


@pytest.mark.process("a notebook runs in a Python of its own, in an empty folder")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_a_notebook_runs(path: Path, tmp_path: Path) -> None:
    places = os.pathsep.join([str(ROOT), str(ROOT / "docs" / "build")])
    env = {**os.environ, "PYTHONPATH": places, "LOTUS_HOME": str(tmp_path / "no home"), "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", CODE, str(path)]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    assert not [words for words in SHOWS[path.stem] if words not in done.stdout]
    assert not (tmp_path / "no home").exists()


def test_cells_are_text_and_code_and_show_their_last_line(tmp_path: Path) -> None:
    path = tmp_path / "small.py"
    path.write_text(
        "# %% [markdown]\n# # Head\n#\n# Text.\n\n# %%\nx = 2\nprint('<a>')\nx * 21\n\n\n# %%\ny = None\ny\n"
    )
    assert cells(path.read_text())[0] == Cell(True, "# Head\n\nText.")
    made = page(path)
    assert made.startswith("# Head\n\nText.\n\n```python\nx = 2\n")
    assert "<pre>&lt;a&gt;</pre>\n\n<pre>42</pre>" in made
    assert made.endswith("```python\ny = None\ny\n```\n")


def test_an_error_in_a_cell_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "wrong.py"
    path.write_text("# %% [markdown]\n# # Head\n\n# %%\nx = 1\n\n# %%\nx / 0\n")
    with pytest.raises(ZeroDivisionError) as raised:
        page(path)
    last = raised.traceback[-1]
    assert (Path(str(last.path)).name, last.lineno + 1) == ("wrong.py", 8)
