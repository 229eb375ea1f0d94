"""The reference page of the lab, written from its signatures and docstrings: `docs/reference/lab.md`.

`python docs/build/lab_page.py > docs/reference/lab.md`. Only text is made here; what a name does stands in its
docstring.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any, Final

import lotus_lab as lab

_HEAD: Final = """# The lab, name by name

This page is written from `lotus_lab`; a test keeps them equal. [The lab](../concepts/lab.md) shows them at work.
`import lotus_lab as lab` loads nothing; a name is loaded at its first use. What needs an extra says so:
`pip install 'lotus-quant[lab]'` for what looks into a home or a tape.
"""


def lab_page() -> str:
    """Return the page."""
    parts = [_HEAD]
    for name in sorted(lab.__all__, key=str.lower):
        value = getattr(lab, name)
        parts.append(
            f"## {name}\n\n" + "\n\n".join(_of_class(value) if inspect.isclass(value) else _of_call(name, value)) + "\n"
        )
    return "\n".join(parts)


def _of_call(name: str, value: object) -> Iterator[str]:
    yield f"```python\nlab.{name}{_signature(value)}\n```"
    yield inspect.getdoc(value) or ""


def _of_class(kind: type) -> Iterator[str]:
    yield inspect.getdoc(kind) or ""
    for name, member in vars(kind).items():
        told = member.func if hasattr(member, "func") else member.fget if isinstance(member, property) else member
        if name.startswith("_") and not (name == "__init__" and member.__doc__):
            continue
        if inspect.isfunction(told) and (text := inspect.getdoc(told)):
            shown = kind.__name__ if name == "__init__" else f".{name}"
            yield f"```python\n{shown}{_signature(told) if told is member else ''}\n```\n\n{text}"


def _signature(value: Any) -> str:
    """Return a signature as it is written in the source, without `self` and the quotes of annotations."""
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(value))).body
    assert isinstance(node, ast.FunctionDef)
    node.args.args = [arg for arg in node.args.args if arg.arg != "self"]
    for arg in (*node.args.args, *node.args.kwonlyargs):
        arg.annotation = _unquoted(arg.annotation)
    returned = _unquoted(node.returns)
    return f"({ast.unparse(node.args)})" + (f" -> {ast.unparse(returned)}" if returned else "")


def _unquoted(annotation: ast.expr | None) -> ast.expr | None:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return ast.parse(annotation.value, mode="eval").body
    return annotation


if __name__ == "__main__":
    print(lab_page(), end="")
