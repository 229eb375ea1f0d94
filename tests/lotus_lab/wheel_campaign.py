"""The wheel from a registry into empty environments: what it takes, how long it imports, compiles and learns.

`.venv/bin/python scripts/thorough.py wheel`. The base runs the README's lines, `[lab]` looks into a home, `[platform]`
is the command. Needs the registry that pip is set up for; ends with 1 when something does not hold.
"""

import resource
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests" / "support")]
from wheel import build  # noqa: E402
from wheel_trial import Environment, readme_lines  # noqa: E402

IMPORT_S, COMPILE_S, LEARN_S, OWN_MB = 1.0, 10.0, 15.0, 40.0
TIMED = "import time; began = time.process_time(); import lotus_lab{}; print(time.process_time() - began)"
MANY = (
    "import time, lotus_lab as lab\n"
    "events = lab.example(days=70); lab.learn(events.head(20_000)); began = time.process_time(); lab.learn(events)\n"
    "print(len(events), time.process_time() - began)\n"
)
SQL = "import lotus_lab as lab; print(lab.sql('SELECT 1 AS one', home='no home')['one'][0])"
TAPE = (
    "import lotus_lab as lab; tape = lab.example_tape('a home', minutes=10)\n"
    "print(len(lab.score(tape, 'sweep_stall_reversal').windows))"
)


def megabytes(folder: Path, *names: str) -> float:
    """Return what the files below some folders take."""
    roots = [path for name in names for path in folder.glob(name)]
    files = [path for root in roots for path in ([root] if root.is_file() else root.rglob("*"))]
    return sum(path.stat().st_size for path in files if path.is_file()) / 2**20


def seconds(env: Environment, code: str, **more: str) -> float:
    """Return the seconds of the processor that a program of an environment takes: a crowded machine changes little."""
    began = resource.getrusage(resource.RUSAGE_CHILDREN)
    env.python(code, **more)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime


def tell(what: str, found: float, unit: str, most: float | None = None) -> bool:
    """Print a number beside its limit; tell whether it holds."""
    holds = most is None or found <= most
    print(
        f"{what:<58} {found:9.2f} {unit}"
        + ("" if most is None else f"  (at most {most:g}: {'held' if holds else 'FAILED'})"),
        flush=True,
    )
    return holds


def base(env: Environment, wheel: Path) -> list[bool]:
    """Install the wheel alone; measure it."""
    env.install(str(wheel))
    tell("installed, with all packages and their bytecode", megabytes(env.packages, "*"), "MB")
    out = [tell("of it Lotus", megabytes(env.packages, "lotus*"), "MB", OWN_MB)]
    env.python(TIMED.format("; lotus_lab.learn"))  # the first time bytecode is read from the disk
    for what, more in (("import lotus_lab", ""), ("import lotus_lab, and all that learn needs", "; lotus_lab.learn")):
        took = sorted(float(env.python(TIMED.format(more))) for _ in range(5))[2]
        out.append(tell(f"{what}, median of five", took, "s of the processor", IMPORT_S))
    caches = [str(env.folder / f"kernels {k}") for k in range(3)]
    first = min(seconds(env, readme_lines(), LOTUS_KERNEL_CACHE=cache) for cache in caches)
    again = min(seconds(env, readme_lines(), LOTUS_KERNEL_CACHE=cache) for cache in caches)
    tell("the README's lines, the first time (least of three)", first, "s of the processor")
    tell("the same again", again, "s of the processor")
    out.append(tell("so kernels compiled at first use", first - again, "s of the processor", COMPILE_S))
    run_examples(env, "noise", "own_csv", "lesson", "randomise_a_bot")
    rows, took = map(float, env.python(MANY).split())
    return [*out, tell(f"learn on {rows:,.0f} rows", took, "s of the processor", LEARN_S)]


def extras(folder: Path, wheel: Path) -> None:
    """Install the wheel with its extras; raises where something of them does not run."""
    lab = Environment.new(folder / "lab")
    lab.install(f"{wheel}[lab]")
    assert lab.python(SQL) == "1\n"
    first, again = seconds(lab, TAPE), seconds(lab, TAPE)
    tell("lab.score for the first time: kernels compiled", first - again, "s of the processor")
    run_examples(lab, "detector")
    tell("[lab] installed", megabytes(lab.packages, "*"), "MB")
    platform = Environment.new(folder / "platform")
    platform.install(f"{wheel}[platform]")
    tell("[platform] installed", megabytes(platform.packages, "*"), "MB")
    run_examples(platform, "local_exchange")
    for words in (["--help"], ["learn", "--example", "events"], ["learn", "--events", "events", "--out", "report"]):
        done = platform.run("lotus", *words)
        assert done.returncode == 0, done.stderr
        print("lotus", *words, "-", done.stdout.strip().splitlines()[0])


def run_examples(env: Environment, *names: str) -> None:
    """Run notebooks of the examples, which are programs too; raises where one fails."""
    for name in names:
        shutil.copy(ROOT / "examples" / f"{name}.py", env.work)
        done = env.run("python", f"{name}.py")
        assert done.returncode == 0, done.stderr
        print(f"examples/{name}.py - ran")


def main() -> None:
    """Build, install, measure."""
    with tempfile.TemporaryDirectory(prefix="lotus wheel ") as scratch:
        folder = Path(scratch)
        wheel = build(folder)
        tell(wheel.name, wheel.stat().st_size / 2**20, "MB")
        held = base(Environment.new(folder / "base"), wheel)
        extras(folder, wheel)
    raise SystemExit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
