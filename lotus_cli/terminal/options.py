"""A command's options as one value: a function of many options takes a frozen dataclass instead of many arguments."""

import functools
from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Concatenate, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Options = TypeVar("Options", bound="DataclassInstance")
R = TypeVar("R")


def options_as(kind: type[Options]) -> Callable[[Callable[Concatenate[Options, ...], R]], Callable[..., R]]:
    """Give a command the options that are fields of `kind` as one value, before the others; its help stays its own."""

    def decorate(command: Callable[..., R]) -> Callable[..., R]:
        @functools.wraps(command)
        def run(**values: Any) -> R:
            options = kind(**{field.name: values.pop(field.name) for field in fields(kind)})
            return command(options, **values)

        return run

    return decorate
