"""Signing keys: one ed25519 key per module, a file of mode 0600 in the home, made at the first use.

Only reading, making and using keys belongs here; which keys a sender has is said by its `identity` table.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from nacl.bindings import crypto_sign_open
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey

from lotus.errors import MessageError
from lotus.modules.envelope import Envelope
from lotus_store.files import fsync_folder, make_folder


class Keys:
    """The keys of the modules that this home speaks for."""

    def __init__(self, folder: Path) -> None:
        """Remember the folder; keys are read or made when first needed."""
        self._folder = folder
        self._known: dict[str, SigningKey] = {}

    def verify_key(self, module: str) -> str:
        """Return a module's public key as 64 hexadecimal characters."""
        return bytes(self._signing_key(module).verify_key).hex()

    def sign(self, envelope: Envelope) -> str:
        """Return the signature of an envelope by its sender, 128 hexadecimal characters."""
        return self.sign_text(envelope.sender.value, envelope.signed_text())

    def sign_text(self, module: str, signed: bytes) -> str:
        """Return the signature of a module on bytes, 128 hexadecimal characters."""
        return self._signing_key(module).sign(signed).signature.hex()

    def _signing_key(self, module: str) -> SigningKey:
        if module not in self._known:
            path = self._folder / f"{module}.key"
            if not path.exists():
                _make(path)
            text = path.read_text(encoding="ascii").strip()
            if len(text) != 64:
                raise MessageError(f"{path} is no key", "64 hexadecimal characters", "the file was damaged")
            self._known[module] = SigningKey(bytes.fromhex(text))
        return self._known[module]


def signing_release(envelope: Envelope, text: str, known: Mapping[str, frozenset[str]]) -> frozenset[str] | None:
    """Return the releases registered for the key that signed this text, or None when no known key did.

    `known` maps verify keys to releases; the text must be the canonical one, byte for byte.
    """
    signed = envelope.signed_part(text)
    if signed is None or not envelope.sig:
        return None
    sealed = bytes.fromhex(envelope.sig) + signed
    for key, releases in known.items():
        try:
            crypto_sign_open(sealed, bytes.fromhex(key))
        except (BadSignatureError, ValueError):
            continue
        return releases
    return None


def _make(path: Path) -> None:
    """Write a new key; of several processes at once the first wins."""
    make_folder(path.parent)
    path.parent.chmod(0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as out:
        out.write(bytes(SigningKey.generate()).hex())
        out.flush()
        os.fsync(out.fileno())
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    fsync_folder(path.parent)
