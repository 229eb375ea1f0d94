"""The one outward command of the user: an alarm as JSON on its standard input, for mail, a webhook or a chat.

`[alerts] command` is a list of words that is started as it stands: no shell reads it, and no text of an alarm becomes a
word of it. The process gets a small environment without addresses or keys, a time limit, and a group of its own that is
ended with it. Each alarm is claimed in the ledger before the command runs: killed in between, it is not sent twice.
(Literature: at-most-once delivery.)
"""

import json
import logging
import os
import signal
import subprocess
from collections.abc import Iterable
from contextlib import suppress

import msgspec

from lotus.modules.messages.monitoring import MonitorAlert, alert_key
from lotus_herald.keys import Keys
from lotus_modules.sig.monitored import tell_monitor
from lotus_store.config import Settings
from lotus_store.databases import Connection
from lotus_store.ledger.curation_queue import claim_alert

logger = logging.getLogger(__name__)
PASSED_ON = ("PATH", "HOME", "LANG", "TZ", "TMPDIR")


def tell(sig: Connection, settings: Settings, alerts: Iterable[MonitorAlert]) -> list[MonitorAlert]:
    """Send each alarm to the queue and run the command for it, once each; return those that were new.

    `sig` is in autocommit mode. A command that fails is logged and not tried again for the same alarm.
    """
    new = []
    for alert in alerts:
        with sig.transaction():
            if not claim_alert(sig, alert.branch, alert_key(alert)):
                continue
            tell_monitor(sig, alert, Keys(settings.keys_root))
        new.append(alert)
        if settings.alerts.command:
            problem = run_command(settings, alert)
            if problem:
                logger.warning("the command of [alerts] %s: %s %s", problem, alert.kind, alert.subject)
    return new


def run_command(settings: Settings, alert: MonitorAlert) -> str:
    """Run the user's command on one alarm; return what went wrong, "" for nothing."""
    text = json.dumps(msgspec.to_builtins(alert)).encode()
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    try:
        process = subprocess.Popen(
            list(settings.alerts.command),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd="/",
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return f"cannot be started ({error})"
    try:
        process.communicate(text, timeout=settings.alerts.timeout_s)
    except subprocess.TimeoutExpired:
        _end(process)
        return f"took longer than {settings.alerts.timeout_s:g} s and was ended"
    except BrokenPipeError:
        process.wait()
    return f"ended with {process.returncode}" if process.returncode else ""


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a process and what it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
