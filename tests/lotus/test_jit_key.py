"""What a kernel can see: an edit changes the hash of whoever sees it, and of nobody else."""

import sys
from types import ModuleType

import pytest

from lotus.jit_key import seen_by

SOURCES = {
    "limits": "LIMIT = 3\n",
    "shapes": "from edited.limits import LIMIT as WIDTH\n\nclass Kind:\n    FIRST = 0\n    SECOND = 1\n",
    "callee": """
from lotus.jit import kernel
from edited import limits

@kernel
def inner(x):
    '''Return it.'''
    return x + limits.LIMIT

@kernel
def beside(x, step=2):
    return x - step
""",
    "caller": """
import numpy as np
from lotus.jit import kernel
from edited.callee import inner
from edited.shapes import WIDTH, Kind

TABLE = np.arange(3.0)

def closed_over(power):
    @kernel
    def raised(x):
        return inner(x) ** power
    return raised

squared, cubed = closed_over(2), closed_over(3)

@kernel
def outer(x):
    if x == Kind.FIRST:
        return squared(x)
    return [inner(x) + TABLE[k] for k in range(WIDTH)][0]

@kernel
def alone(x):
    return x
""",
}
KERNELS = {"callee": ("inner", "beside"), "caller": ("squared", "cubed", "outer", "alone")}


def hashes(edits: dict[str, tuple[str, str]] | None = None) -> dict[str, str]:
    """Return the hash of every kernel of the sources, some of which are edited first."""
    package = ModuleType("edited")
    package.__path__ = []
    modules = {"edited": package}
    try:
        sys.modules["edited"] = package
        for name, source in SOURCES.items():
            before, after = (edits or {}).get(name, ("", ""))
            assert before in source
            module = modules[f"edited.{name}"] = ModuleType(f"edited.{name}")
            sys.modules[module.__name__] = module
            setattr(package, name, module)
            exec(compile(source.replace(before, after, 1) if before else source, name, "exec"), module.__dict__)
        return {
            kernel: seen_by(getattr(modules[f"edited.{name}"], kernel).py_func)
            for name, kernels in KERNELS.items()
            for kernel in kernels
        }
    finally:
        for name in modules:
            sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("name", "edit", "whose"),
    [
        ("callee", ("x + limits", "x - limits"), {"inner", "squared", "cubed", "outer"}),
        ("callee", ("step=2", "step=3"), {"beside"}),
        ("callee", ("@kernel\ndef inner", "from lotus.jit import inlined_kernel\n@inlined_kernel\ndef inner"), None),
        ("limits", ("3", "4"), {"inner", "squared", "cubed", "outer"}),  # read through a module, and by another name
        ("shapes", ("FIRST = 0", "FIRST = 5"), {"outer"}),
        ("shapes", ("SECOND = 1", "SECOND = 5"), set()),  # which no kernel names
        ("caller", ("TABLE = np.arange(3.0)", "TABLE = np.arange(3)"), {"outer"}),
        ("caller", ("closed_over(2)", "closed_over(4)"), {"squared", "outer"}),
        ("caller", ("def alone", "# a comment\n\n\ndef alone"), set()),
        ("callee", ("Return it.", "Return another."), set()),
    ],
)
def test_an_edit_changes_the_kernels_that_see_it(name: str, edit: tuple[str, str], whose: set[str] | None) -> None:
    before, after = hashes(), hashes({name: edit})
    changed = {kernel for kernel in before if before[kernel] != after[kernel]}
    assert changed == ({"squared", "cubed", "outer"} if whose is None else whose)


def test_kernels_of_one_text_over_other_values_are_not_the_same() -> None:
    found = hashes()
    assert len(set(found.values())) == len(found)


def test_two_kernels_that_call_each_other_have_hashes_in_any_order() -> None:
    space: dict[str, object] = {"__name__": "round"}
    exec("def a(x):\n    return b(x - 1) if x else 0\n\ndef b(x):\n    return a(x - 1) if x else 1\n", space)
    a, b = space["a"], space["b"]
    assert (seen_by(a), seen_by(b)) == (seen_by(a), seen_by(b))  # type: ignore[arg-type]
    assert seen_by(a) != seen_by(b)  # type: ignore[arg-type]


def test_what_no_rule_describes_is_refused() -> None:
    space: dict[str, object] = {"__name__": "strange", "thing": object()}
    exec("def reads(x):\n    return thing\n", space)
    with pytest.raises(TypeError, match=r"strange\.reads names a value of object; expected: a number"):
        seen_by(space["reads"])  # type: ignore[arg-type]
