"""Nanoseconds of every node of the experts' program, measured once a week on fixed frames.

A node is run many times over one frame with what the nodes before it left, so its cost is that of warm caches; all are
then scaled to the time of a whole frame. Times depend on the machine and the moment: they are written once, before
anything rests on them, and read from then on.
"""

import time

import numpy as np
from numpy.typing import NDArray

from lotus.experts.compiler import compile_experts
from lotus.experts.fusion import ExpertSet
from lotus.experts.idle import without_idle
from lotus.governance.expert_cost import ExpertCost, alone, shares, users_of
from lotus.manifest import Manifest
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.frames.samples import sample_events
from lotus.microtape.frames.spec import I_ASSET
from lotus.tape_machine.interpreter import run_block, run_rows
from lotus.tape_machine.program import Program, nodes_of
from lotus.tape_machine.state import new_state

RUNS = 31
REPEATS = 64  # of a node in one run
MESSAGES = 8_000  # of the fixed frames
SEED = 7
Floats = NDArray[np.float64]


def measured_costs(experts: ExpertSet, manifest: Manifest) -> list[ExpertCost]:
    """Return what every expert costs on this machine now; experts that are idle are measured as if they spoke."""
    frames = build_frames(sample_events(SEED, MESSAGES), manifest, Manifest().universe)
    rows = np.ascontiguousarray(frames.floats[frames.ints[:, I_ASSET] == 0])
    program = compile_experts(experts, manifest.kernel.cadence_ms)
    whole = np.median(_frame_ns(program, rows))
    node_ns = _node_ns(program, rows)
    users = users_of(program, len(experts.names))
    cost, marginal = shares(users, node_ns * float(whole) / float(node_ns.sum()))
    out = []
    for k, spec in enumerate(experts.experts):
        own = _frame_ns(without_idle(program, experts.names, alone(experts.names, spec.expert_id)), rows)
        p50, p95 = (float(np.quantile(own, share)) for share in (0.5, 0.95))
        named = spec.expert_id, spec.spec_id, int(users[:, k].sum())
        out.append(ExpertCost(*named, float(cost[k]), float(marginal[k]), p50, p95, RUNS))
    return out


def _frame_ns(program: Program, rows: Floats) -> Floats:
    """Return nanoseconds a frame of RUNS runs over the rows, one frame at a time as live."""
    registers, state = program.new_registers(1), new_state(program, 1)
    results, to, none = np.empty((len(rows), 1)), np.full(len(rows), -1), np.empty((0, 0))
    picks, reborn = np.arange(len(rows)), np.zeros(len(rows), np.bool_)
    took = []
    for _ in range(RUNS + 1):
        began = time.perf_counter_ns()
        run_rows(
            program.code, program.params, program.outputs, state.floats[0], state.ints[0], rows, picks, reborn,
            registers, results, to, none,
        )  # fmt: skip
        took.append((time.perf_counter_ns() - began) / len(rows))
    return np.array(took[1:])


def _node_ns(program: Program, rows: Floats) -> Floats:
    """Return the median nanoseconds of each node, over one frame with the state that all rows left."""
    registers, state = program.new_registers(1), new_state(program, 1)
    floats, ints = state.floats[0], state.ints[0]
    reborn, none = np.zeros(len(rows), np.bool_), np.empty((0, 0))
    run_rows(
        program.code, program.params, program.outputs, floats, ints, rows, np.arange(len(rows)), reborn, registers,
        np.empty((len(rows), 1)), np.full(len(rows), -1), none,
    )  # fmt: skip
    empty = _timed(program, np.zeros(0, np.uint32), floats, ints, registers)
    out = []
    for op, words in nodes_of(program.code):
        code = np.concatenate([np.array([op, REPEATS], np.uint32), np.tile(words, REPEATS)])
        took = _timed(program, code, floats.copy(), ints.copy(), registers.copy())
        out.append(max(0.0, took - empty) / REPEATS)
        one = np.concatenate([np.array([op, 1], np.uint32), words])
        run_block(one, 0, program.params, floats, ints, registers, 1)
    return np.array(out)


def _timed(
    program: Program, code: NDArray[np.uint32], floats: Floats, ints: NDArray[np.int64], registers: Floats
) -> float:
    took = []
    for _ in range(RUNS):
        began = time.perf_counter_ns()
        run_block(code, 0, program.params, floats, ints, registers, 1)
        took.append(time.perf_counter_ns() - began)
    return float(np.median(took))
