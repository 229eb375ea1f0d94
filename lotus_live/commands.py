"""Commands that the ledger holds for a running daemon: take them, obey them, answer them."""

import asyncio
import time
from typing import Any

from lotus.errors import ConfigError
from lotus_live.line_taker import LineTaker
from lotus_live.pipeline.shadows import control_texts, prepare_shadows
from lotus_live.run_context import RunContext, RunTape
from lotus_store.ledger.signals.live_log import SWAP_DETECTORS, finish_command, take_commands

Command = tuple[int, str, dict[str, Any]]


class Commands:
    """The commands of one run."""

    def __init__(self, context: RunContext, tape: RunTape, taker: LineTaker) -> None:
        """Take no command yet."""
        self._context, self._tape, self._taker = context, tape, taker

    def take(self) -> list[Command]:
        """Return number, name and body of the commands that wait (blocking)."""
        with self._context.databases.connect("sig") as connection:
            return take_commands(connection)

    def answer(self, number: int, result: dict[str, Any]) -> None:
        """Store the result of a command (blocking)."""
        with self._context.databases.connect("sig") as connection:
            finish_command(connection, number, result)

    async def obey(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        """Obey a command; what must be compiled for it is compiled in a worker thread first."""
        if name != SWAP_DETECTORS:
            return {"error": f"unknown command {name!r}", "known": [SWAP_DETECTORS]}
        texts = control_texts(body)
        if texts is None:
            return {"error": "no list of texts under detectors"}
        spec = self._context.spec
        try:
            days = [lane.scorer.detectors for lane in self._taker.pipeline.lanes]
            await asyncio.to_thread(prepare_shadows, texts, spec.detectors, spec.manifest, days)
        except ConfigError as error:
            return {"error": str(error)}
        return self._use_shadows(texts)

    def _use_shadows(self, texts: tuple[str, ...]) -> dict[str, Any]:
        """Run these shadow detectors, and only those, from the next frame on, by a control record of the tape."""
        taker, announcer = self._taker, self._taker.announcer
        if not announcer.writes_controls or taker.pipeline.today is None:
            return {"error": "this daemon takes no shadow detectors: it replays a tape, or no line has come yet"}
        from_ms = self._context.next_window_ms(taker.last_ns)
        record = announcer.record(taker.beliefs.versions[-1], from_ms, texts)
        began = time.perf_counter_ns()
        taker.control(record)
        pause_ms = (time.perf_counter_ns() - began) / 1e6
        return {"run_id": self._context.run_id, "specs_ver": record.specs_ver, "pause_ms": pause_ms,
                "trials": [d.detector_id for d in taker.pipeline.shadows]}  # fmt: skip
