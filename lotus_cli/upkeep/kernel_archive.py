"""An archive of compiled kernels: one file that another machine of the same kind takes instead of compiling.

It is a zip whose first member says for what it was made: processor, Python, numba, settings and sources of kernels.
One made for something else is refused, as is one of which a byte is missing or changed, before anything is written. It
holds machine code: take it only from whom you would take a program.
"""

import hashlib
import importlib
import io
import json
import pkgutil
import zipfile
import zlib
from functools import cache
from pathlib import Path

import lotus
from lotus.errors import ConfigError
from lotus.jit import kernel_folder
from lotus.jit_cache import SUFFIX, compiler_hash, compiler_versions, read_sealed, write_sealed
from lotus.jit_key import short_hash
from lotus_store.files import write_bytes

HEADER = "made-for.json"
FAULTS = (zipfile.BadZipFile, zlib.error, OSError, KeyError, ValueError, EOFError, RuntimeError, AttributeError)
CAUSES = {
    "sources": "another release of Lotus, or an edit of a kernel; make it again from these sources",
    "processor": "another kind of processor; each kind needs an archive of its own",
}


def write_archive(target: Path) -> int:
    """Write every stored kernel of these sources into one file; return how many there are. Raises `OSError`."""
    stored = {file.name: read_sealed(file) for file in sorted(kernel_folder().glob(f"*{SUFFIX}"))}
    bodies = {name: body for name, body in stored.items() if body is not None}
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(HEADER, json.dumps(made_for() | {"kernels": _digest(bodies)}, indent=1))
        for name, body in bodies.items():
            archive.writestr(name, body)
    write_bytes(target, whole.getvalue())
    return len(bodies)


def read_archive(source: Path) -> int:
    """Store every kernel of an archive; return how many there are.

    Raises `ConfigError`, and stores nothing, when it is damaged or was made for something else.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            header = json.loads(archive.read(HEADER))
            names = [name for name in archive.namelist() if name != HEADER]
            bodies = {name: archive.read(name) for name in names}
            found = {str(key): str(value) for key, value in header.items()}
    except FAULTS as problem:
        raise ConfigError(
            f"{source} is no whole archive of kernels", "one that `lotus warm --archive` wrote", str(problem)
        ) from None
    for what, expected in made_for().items():
        if found.get(what) != expected:
            cause = CAUSES.get(what, f"another {what} than here; make it again here, or run lotus warm")
            raise ConfigError(f"{source} was made for {what} {found.get(what)}", expected, cause)
    if found.get("kernels") != _digest(bodies) or any(not _is_plain(name) for name in bodies):
        raise ConfigError(f"{source} holds other kernels than it names", "those that were written", "a damaged file")
    for name, body in bodies.items():
        write_sealed(kernel_folder() / name, body)
    return len(bodies)


@cache
def made_for() -> dict[str, str]:
    """Return what compiled kernels depend on, by its name."""
    from numba.core.registry import cpu_target

    triple, processor, features = cpu_target.target_context.codegen().magic_tuple()
    return {
        "processor": f"{processor}, {triple}",
        "features": short_hash(features),
        **compiler_versions(),
        "compiler": compiler_hash(),
        "sources": _sources(),
    }


def _sources() -> str:
    """Return the hash of all that the kernels of the domain can see."""
    from lotus.jit_dispatcher import KernelDispatcher
    from lotus.jit_key import seen_by

    modules = [importlib.import_module(one.name) for one in pkgutil.walk_packages(lotus.__path__, "lotus.")]
    kernels = {one for module in modules for one in vars(module).values() if isinstance(one, KernelDispatcher)}
    return short_hash(*sorted(seen_by(kernel.py_func) for kernel in kernels))


def _digest(bodies: dict[str, bytes]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for name, body in sorted(bodies.items()):
        digest.update(f"{name} {len(body)} ".encode() + body)
    return digest.hexdigest()


def _is_plain(name: str) -> bool:
    return name == Path(name).name and name.endswith(SUFFIX)
