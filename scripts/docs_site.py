"""Hooks of the docs site (`mkdocs.yml`): pages from outside `docs/`, notebooks, decision records, drawings, pictures.

Drawings in mermaid become SVG while the site is built, so that a page needs no script for them. Links that lead out of
the site become plain text. A line `<!-- seen: NAME, what it shows -->` becomes the picture that a test kept under that
name in `.artefacts` (`make pictures`), and a sentence where none is there. Nothing here changes a file of the
repository.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mermaidx
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "docs" / "build")]
import notebooks  # noqa: E402

OUTSIDE = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
LINK = re.compile(r"(!?)\[([^\]]+)\]\(([^)#\s]*)(#[^)\s]*)?\)")
SEEN = re.compile(r"^<!-- seen: ([\w-]+), (.+) -->$", re.MULTILINE)
ARTEFACTS = ROOT / ".artefacts"
DRAWING = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the repository's root and the list of decision records."""
    for name, page in OUTSIDE.items():
        files.append(File.generated(config, page, content=(ROOT / name).read_text("utf-8")))
    files.append(File.generated(config, "adr/index.md", content="\n".join(_records())))
    for picture in sorted(ARTEFACTS.glob("*.png")):
        files.append(File.generated(config, f"seen/{picture.name}", content=picture.read_bytes()))
    for path in notebooks.notebooks():
        files.append(File.generated(config, f"examples/{path.stem}.md", content=notebooks.page(path)))
    return files


def on_page_markdown(markdown: str, page: Any, files: Files, **_: object) -> str:
    """Draw the drawings, and lead links to where their targets lie in the site."""
    source = page.file.src_uri
    place = next((ROOT / name for name, uri in OUTSIDE.items() if uri == source), ROOT / "docs" / source)
    drawn = DRAWING.sub(lambda match: f'\n<figure style="background: white">{_drawn(match[1])}</figure>\n', markdown)
    shown = SEEN.sub(lambda match: _seen(match[1], match[2], source), drawn)
    return LINK.sub(lambda match: _led(match, place, source, files), shown)


def _seen(name: str, words: str, source: str) -> str:
    """Return a picture that a test kept, or a sentence without it."""
    if (ARTEFACTS / f"{name}.png").is_file():
        return f"![{words}]({_relative(f'seen/{name}.png', source)})"
    return f"*{words}: `make pictures` and then `make docs` show it here.*"


def _records() -> Iterator[str]:
    yield "# Decision records\n"
    for path in sorted((ROOT / "docs" / "adr").glob("0*.md")):
        title = path.read_text("utf-8").split("\n", 1)[0].lstrip("# ")
        yield f"- [{title}]({path.name})"


def _drawn(source: str) -> str:
    """Return a drawing as SVG on one line, for a blank line ends HTML in Markdown."""
    return " ".join(mermaidx.render(source).svg().split())


def _led(match: re.Match[str], place: Path, source: str, files: Files) -> str:
    """Return a link with the address of its target in the site, or its words alone when the target is not there."""
    mark, words, target, anchor = match[1], match[2], match[3], match[4] or ""
    if not target or "://" in target:
        return match[0]
    path = (place.parent / target).resolve()
    inside = path.relative_to(ROOT).as_posix()
    uri = OUTSIDE.get(inside) or ("adr/index.md" if inside == "docs/adr" else inside.removeprefix("docs/"))
    uri = re.sub(r"^(examples/\w+)\.py$", r"\1.md", uri)
    if files.get_file_from_path(uri) is None:
        return match[0] if path.suffix == ".md" else words
    return f"{mark}[{words}]({_relative(uri, source)}{anchor})"


def _relative(uri: str, source: str) -> str:
    return "../" * source.count("/") + uri
