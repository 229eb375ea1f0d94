"""Texts made nodes, and the place of a refusal."""

from lotus.tape_machine.environment import Environment, InputColumn

SMALL = Environment(
    {
        "x": InputColumn(0, "bps"),
        "y": InputColumn(1, "USD"),
        "z": InputColumn(2, "1"),
        "f": InputColumn(3, "1", "flag"),
        "t": InputColumn(4, "ms"),
    },
    500,
)
