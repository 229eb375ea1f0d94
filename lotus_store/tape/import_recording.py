"""Importer of raw captures: text lines `<receive ns> <frame>`, plain, gzipped, zstd or lz4, in arrival order."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from lotus.errors import TapeError
from lotus.microtape.wire.decode import clean_frame
from lotus.progress.steps import Steps, untold
from lotus_store.tape.arrival_order import in_order
from lotus_store.tape.importing import ImportReport, ImportSource, import_lines
from lotus_store.tape.place import OnClosed
from lotus_store.tape.source_lines import read_source_lines
from lotus_store.tape.store import TapeStore
from lotus_store.tape.writer import WriterRules


def import_recording(
    store: TapeStore,
    paths: Sequence[Path],
    what: ImportSource | None = None,
    rules: WriterRules | None = None,
    on_closed: OnClosed | None = None,
    progress: Steps = untold,
) -> ImportReport:
    """Import capture files, one after the other in the order given; see `import_lines` for what is raised."""
    source = what or ImportSource("recording " + ", ".join(path.name for path in paths))
    return import_lines(store, recording_lines(paths, progress), source, rules, on_closed, progress)


def recording_lines(paths: Sequence[Path], progress: Steps = untold) -> Iterator[tuple[int, bytes]]:
    """Yield (receive stamp, frame) of capture files, as `in_order` brings them into the order of their arrival.

    The first line of a file must have a stamp, else `TapeError`; a later line without one is kept whole under the
    stamp before it, so that the decoder counts it.
    """
    return in_order(_stamped(paths, progress))


def _stamped(paths: Sequence[Path], progress: Steps) -> Iterator[tuple[int, bytes]]:
    sizes = [path.stat().st_size if path.is_file() else 0 for path in paths]
    for number, path in enumerate(paths):
        last = -1
        passed = partial(_passed, progress, sum(sizes[:number]), sum(sizes), path.name)
        for line in read_source_lines(path, passed):
            stamp, _, frame = line.partition(b" ")
            if stamp.isdigit() and len(stamp) <= 19 and frame:
                last = int(stamp)
            elif last < 0:
                text = line[:40].decode(errors="replace")
                raise TapeError(f"the first line of {path} is {text!r}", "<receive ns> <frame>", "not a raw capture")
            else:
                frame = line
            yield last, clean_frame(frame.rstrip(b"\r"))


def _passed(progress: Steps, before: int, total: int, name: str, here: int) -> None:
    progress("megabytes read", (before + here) / 2**20, total / 2**20, name)
