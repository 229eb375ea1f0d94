"""An object store for tests: moto's server in a process of its own, with a bucket `lotus-test`."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from socket import create_server

import pytest

BUCKET = "lotus-test"
_SIGNED = "AWS4-HMAC-SHA256 Credential=test/20200101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"


def environment(port: int) -> dict[str, str]:
    """Return what a process needs in its environment to reach the store."""
    return {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@contextmanager
def object_store() -> Iterator[int]:
    """Start a store, make the bucket, yield the port on loopback, and end the store."""
    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-P", "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ))
    try:
        for _ in range(600):
            try:
                call(port, "PUT", f"/{BUCKET}")
                break
            except (urllib.error.URLError, ConnectionError):
                assert server.poll() is None, "moto's server did not start"
                time.sleep(0.1)
        else:
            raise AssertionError("moto's server does not answer")
        yield port
    finally:
        server.kill()
        server.wait()


def call(port: int, method: str, path: str, body: bytes = b"") -> bytes:
    """Make one request of the store, past all of our own code, and return its answer."""
    headers = {"Content-Type": "text/plain"} | ({} if path.startswith("/moto-api") else {"Authorization": _SIGNED})
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body or None, headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return bytes(answer.read())


@contextmanager
def rights_enforced(port: int) -> Iterator[None]:
    """While inside, the store refuses every key that it did not give out itself."""
    call(port, "POST", "/moto-api/reset-auth", b"0")
    try:
        yield
    finally:
        call(port, "POST", "/moto-api/reset-auth", b"1000000000")


@pytest.fixture(scope="session")
def s3_port() -> Iterator[int]:
    """The port of a store that all tests of a process share."""
    with object_store() as port:
        yield port


@pytest.fixture
def s3(s3_port: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """A store that the environment names."""
    for name, value in environment(s3_port).items():
        monkeypatch.setenv(name, value)
    return s3_port
