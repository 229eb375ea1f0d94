"""A style that pays by context, end to end in a home: `python tests/lotus_cli/demo/styles_campaign.py [--seed 7]`.

Runs `lotus demo --world styles --compose` and requires what the world makes true: joining pays there and not elsewhere,
the trader's lesson in force, plans of the book that join inside the rule and cross outside, the daemon's choices those
of the batch's version, events equal, a composition with a lesson of a detector under judgement. Exit code 1 otherwise.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

LOTUS = Path(sys.executable).with_name("lotus")


def missing(facts: dict[str, Any]) -> list[str]:
    """Return what a demo of the styles world did not show, in words; empty where all of it was."""
    styles = facts["styles"]
    paid, plans = styles["paid"], styles["plans"]
    acting = [x for x in styles["lessons"] if x["active"] and x["style"] == "join" and x["sign"] > 0]
    shown = {
        "joining pays 2 bps more inside than outside": paid["inside"]["join_bps"] > paid["outside"]["join_bps"] + 2.0,
        "a lesson about joining is in force": bool(acting),
        "plans inside the rule do not cross": plans["inside"].keys() - {"cross"} != set(),
        "the daemon chose what the batch says": 0 < plans["chosen"] == plans["agreed"],
        "events of daemon and batch are equal": facts["parity"],
        "a composition is under judgement": any(x["type"] == "candidate" for x in styles["compositions"]),
    }
    return [name for name, was in shown.items() if not was]


@click.command()
@click.option("--seed", default=7, show_default=True)
@click.option("--home", type=click.Path(path_type=Path), help="Where it runs (default: a new folder).")
def main(seed: int, home: Path | None) -> None:
    """Run the demo of the styles world and say what it did not show."""
    with tempfile.TemporaryDirectory(prefix="lotus-styles-") as folder:
        words = [LOTUS, "demo", "--world", "styles", "--compose", "--seed", str(seed), "--json"]
        done = subprocess.run(
            words, env={**os.environ, "LOTUS_HOME": str(home or folder)}, capture_output=True, text=True
        )
        if done.returncode:
            raise SystemExit(done.stderr)
        facts = json.loads(done.stdout)
        print(json.dumps(facts["styles"], indent=1))
        left = missing(facts)
        if left:
            raise SystemExit(f"not shown: {'; '.join(left)}")


if __name__ == "__main__":
    main()
