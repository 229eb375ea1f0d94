"""The command line that every study module shares: run what is missing, then say what the rows show."""

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from benchmarks.lessons.claims import Claim, judged, table
from benchmarks.lessons.evidence import FOLDER, Maker, Study, by_processes, run


def seeds_of(text: str) -> list[int]:
    """Return the seeds of `3` or `1-200`."""
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))


Figures = Callable[[Mapping[str, Study], Path], Sequence[Mapping[str, Any]]]


def no_figures(chosen: Mapping[str, Study], folder: Path) -> Sequence[Mapping[str, Any]]:
    """Return nothing: the figures of a module whose claims say it all."""
    return ()


@contextmanager
def by_fleet(small: bool) -> Iterator[Maker]:
    """Yield what has rows made by the workers of the fleet of this home (`LOTUS_HOME`, `lotus.toml`)."""
    from lotus_assets.fleet.world_blocks import fleet_worlds
    from lotus_resources.lotus_resource import Lotus
    from lotus_store.config import load_settings

    lotus = Lotus.open(load_settings())
    try:
        with fleet_worlds(lotus) as fleet:
            yield lambda study, seeds: fleet.rows(study, small, seeds)
    finally:
        lotus.close()


def command(
    studies: Mapping[str, Study],
    claims: Sequence[Claim],
    about: str,
    arguments: Sequence[str] | None = None,
    figures: Figures = no_figures,
) -> int:
    """Run the studies asked for and print the claims about them, and after them `figures` that are no shares."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--row", action="append", choices=sorted(studies), help="a study; default: all")
    parser.add_argument("--seeds", type=seeds_of, default=[], help="first-last; without it nothing is run, only told")
    parser.add_argument("--small", action="store_true", help="make the rows on small worlds, which tests repeat")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--fleet", action="store_true", help="have them made by the workers of this home's fleet")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the rows lie")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    chosen = {name: studies[name] for name in options.row or studies}
    with by_fleet(options.small) if options.fleet else nullcontext(by_processes(options.workers)) as made:
        for study in chosen.values():
            run(study.shrunk() if options.small else study, options.seeds, made, options.folder)
    results, beside = judged(claims, chosen, options.folder), figures(chosen, options.folder)
    if options.json:
        print(json.dumps([*(r.as_json() for r in results), *beside], indent=1))
    else:
        print("\n".join([table(results), *(json.dumps(one) for one in beside)]))
    return 0
