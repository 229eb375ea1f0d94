"""Texts made nodes, and the place of a refusal."""

from lotus.tape_machine.environment import Column, Environment

SMALL = Environment(
    {
        "x": Column(0, "bps"),
        "y": Column(1, "USD"),
        "z": Column(2, "1"),
        "f": Column(3, "1", "flag"),
        "t": Column(4, "ms"),
    },
    500,
)
