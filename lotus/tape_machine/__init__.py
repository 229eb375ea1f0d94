"""The tape machine: a closed, causal, unit-checked expression language over frames and windows, and what runs it.

Text becomes a syntax tree (`parser`), the tree typed nodes (`checker`), the nodes one shared program. Look-ahead, loops
and unbounded memory cannot be written in it. Literature: stream-processing query languages, data-flow graphs.
No particular expression, expert or detector may be put here: those are specs.
"""
