"""The metrics page of a daemon or a fleet, `http://127.0.0.1:PORT/metrics`: a thread, for programs of this machine.

One request at a time, each within 5 s. The table of metrics is `metrics`'. In the literature: DNS rebinding.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.registry import Collector

from lotus.errors import ConfigError
from lotus.loopback import NAMES, stranger

PATH = "/metrics"
TEXT = "text/plain; charset=utf-8"


class MetricsPage(HTTPServer):
    """A server on loopback that tells what `collector` collects."""

    def __init__(self, port: int, collector: Collector) -> None:
        """Listen at once, on any free port for 0; raises `OSError`."""
        self.registry = CollectorRegistry()
        self.registry.register(collector)
        super().__init__((NAMES[0], port), _Request)


class _Request(BaseHTTPRequestHandler):
    server: MetricsPage
    timeout = 5.0

    def do_GET(self) -> None:
        """Answer a program of this machine that asks for the page."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, words = stranger(headers, self.server.server_port)
        if status:
            self._answer(status, TEXT, f"{words}\n".encode())
        elif self.path != PATH:
            self._answer(404, TEXT, f"found {self.path!r}; expected {PATH}\n".encode())
        else:
            self._answer(200, CONTENT_TYPE_LATEST, generate_latest(self.server.registry))

    def log_message(self, format: str, *args: object) -> None:
        """Tell nothing of single requests."""

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def metrics_page(port: int, collector: Collector, setting: str = "live.metrics_port") -> Iterator[MetricsPage]:
    """Serve the page within the block; raises `ConfigError` for a port that cannot be had, naming its setting."""
    try:
        page = MetricsPage(port, collector)
    except OSError as error:
        text = f"{setting} {port} cannot be served: {error.strerror}"
        raise ConfigError(text, "a free port of this machine", "another daemon or program listens there") from error
    thread = threading.Thread(target=page.serve_forever, name="lotus-metrics", daemon=True)
    thread.start()
    try:
        yield page
    finally:
        page.shutdown()
        page.server_close()
