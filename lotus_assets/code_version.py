"""Code version of an asset: the hash of the sources of the pure packages it calls, and of all below them.

A stage whose code version and inputs are those of its committed row is not computed again. Thin Dagster code is left
out on purpose: wording of metadata does not change rows. Idea in the literature: content-addressed builds.
"""

from functools import cache
from pathlib import Path

import lotus
from lotus.hashing import natural_id

_ROOT = Path(lotus.__file__).resolve().parent


@cache
def code_version(*packages: str) -> str:
    """Return the 128-bit hash of the base files of `lotus` and of every file of the named packages (code and specs).

    A name such as `curation/in_force.py` is that file alone.
    """
    sources = sorted(_ROOT.glob("*.py"))
    for package in packages:
        folder = _ROOT / package
        sources += (
            [folder]
            if folder.is_file()
            else sorted(p for p in folder.rglob("*") if p.is_file() and p.parent.name != "__pycache__")
        )
    parts: list[str | bytes] = []
    for source in sources:
        parts += [str(source.relative_to(_ROOT)), source.read_bytes()]
    return natural_id(*parts)
