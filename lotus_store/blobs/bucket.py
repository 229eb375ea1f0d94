"""Whole objects in a bucket, through obstore: S3 and what speaks its protocol; gs:// and az:// open the same way.

Address and credentials come from the environment of the process, by their standard names (AWS_ENDPOINT_URL,
AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN) or from the machine's role, never from the URL,
which is shown in messages. One request stores one object whole (no multipart), so a killed writer leaves it or nothing;
a request that fails for a moment is repeated for up to `PATIENCE`. (Conditional writes: `If-None-Match: *`.)
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from lotus_store.blobs.port import BlobError, Payload

PATIENCE = timedelta(seconds=30)  # of repeated tries of one request
TRIES = 6
_WAITS = {"connect_timeout": "5s", "timeout": "300s"}
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_FORM = "s3://BUCKET/PATH, credentials and AWS_ENDPOINT_URL in the environment"
_RIGHTS = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of this process are wrong, or without rights to this bucket"
_NO_BUCKET, _DENIED = ("NoSuchBucket",), ("403 Forbidden", "401 Unauthorized")  # a refused list has no class
_AWAY = "no network, no such host, AWS_ENDPOINT_URL is wrong, or no credentials in the environment"


def opened_bucket(url: str) -> "BucketBlobs":
    """Return the objects below a URL; raises `BlobError` for a URL of another form, and where obstore is missing."""
    parts = urlsplit(url)
    if parts.query or parts.username or parts.password or (parts.scheme != "memory" and not parts.netloc):
        raise BlobError(f"a URL {parts.scheme}://... with options, a password, or without a bucket", _FORM)
    return BucketBlobs(url.rstrip("/"), _store(url.rstrip("/"), os.getpid()))


@cache
def _store(url: str, _: int) -> Any:
    """Return the client of a URL, one for each process: its threads do not survive a fork."""
    try:
        from obstore.exceptions import BaseError
        from obstore.store import MemoryStore, from_url
    except ImportError as problem:
        cause = 'pip install "lotus-quant[fleet]", or requirements-fleet.lock'
        raise BlobError(f"{url} needs the package obstore, which is not here", "obstore 0.12", cause) from problem
    if url.startswith("memory:"):
        return MemoryStore()
    endpoint = next((os.environ[name] for name in _ENDPOINTS if os.environ.get(name)), "")
    options: Any = {**_WAITS, "allow_http": endpoint.startswith("http://")}
    retries: Any = {"max_retries": TRIES, "retry_timeout": PATIENCE}
    try:
        return from_url(url, client_options=options, retry_config=retries)
    except (BaseError, ValueError) as problem:
        raise BlobError(f"{url} cannot be opened: {_first(problem)}", _FORM, "another protocol or form") from problem


class BucketBlobs:
    """The port `Blobs` over a store of obstore."""

    def __init__(self, url: str, store: Any) -> None:
        """Name the place; nothing is asked of it."""
        self.base, self._store = url, store

    def put(self, key: str, payload: Payload) -> None:
        """Store an object by one request."""
        import obstore

        with self._explained(key, "written"):
            obstore.put(self._store, key, payload, use_multipart=False)

    def create(self, key: str, payload: Payload) -> bool:
        """Store an object by one request that the store refuses where the name is taken."""
        import obstore
        from obstore.exceptions import AlreadyExistsError

        try:
            with self._explained(key, "written"):
                obstore.put(self._store, key, payload, mode="create", use_multipart=False)
        except AlreadyExistsError:
            return False
        return True

    def get(self, key: str) -> bytes:
        """Return an object by one request."""
        import obstore

        with self._explained(key, "read"):
            return bytes(obstore.get(self._store, key).bytes())

    def tail(self, key: str, most: int) -> bytes:
        """Return the end of an object by one request."""
        import obstore

        with self._explained(key, "read"):
            return bytes(obstore.get(self._store, key, options={"range": {"suffix": most}}).bytes())

    def has(self, key: str) -> bool:
        """Ask for the head of an object, which is missing in a missing bucket as well."""
        import obstore

        try:
            with self._explained(key, "read"):
                obstore.head(self._store, key)
        except FileNotFoundError:
            return False
        return True

    def sizes(self, prefix: str) -> dict[str, int]:
        """List all objects below a step."""
        import obstore

        with self._explained(prefix, "listed"):
            chunks = obstore.list(self._store, prefix=prefix or None)
            return {str(one["path"]): int(one["size"]) for chunk in chunks for one in chunk}

    def newest_s(self, prefix: str) -> float:
        """Return the newest time of writing below a step, by the store's clock."""
        import obstore

        with self._explained(prefix, "listed"):
            chunks = obstore.list(self._store, prefix=prefix or None)
            return max((one["last_modified"].timestamp() for chunk in chunks for one in chunk), default=0.0)

    def remove(self, key: str) -> None:
        """Remove an object."""
        import obstore

        try:
            with self._explained(key, "removed"):
                obstore.delete(self._store, key)
        except FileNotFoundError:
            return

    @contextmanager
    def _explained(self, key: str, done: str) -> Iterator[None]:
        """Turn what the store says into one error; that an object is missing or there passes as it is."""
        from obstore.exceptions import AlreadyExistsError, BaseError, PermissionDeniedError, UnauthenticatedError

        found = f"{self.base}/{key} cannot be {done}"
        try:
            yield
        except AlreadyExistsError:
            raise
        except (BaseError, OSError) as problem:
            no_bucket, denied = (any(sign in str(problem) for sign in signs) for signs in (_NO_BUCKET, _DENIED))
            missing = isinstance(problem, FileNotFoundError)
            if no_bucket or (missing and done == "written"):
                cause = "a wrong name in [folders] of lotus.toml, another AWS_ENDPOINT_URL, or it was not made"
                raise BlobError(f"{found}: there is no such bucket", "a bucket that exists", cause) from problem
            if missing:
                raise
            if denied or isinstance(problem, PermissionDeniedError | UnauthenticatedError):
                raise BlobError(f"{found}: access denied", "a bucket that this process may use", _RIGHTS) from problem
            raise BlobError(f"{found}: {_first(problem)}", "an object store that answers", _AWAY) from problem


def _first(problem: BaseException) -> str:
    """Return the first line of what the store said."""
    return (str(problem).splitlines() or [type(problem).__name__])[0][:300]
