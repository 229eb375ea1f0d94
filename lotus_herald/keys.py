"""Signing keys: one ed25519 key per module, a file of mode 0600 in a folder of mode 0700, made at the first use.

Only reading, making, replacing and using keys belongs here; which keys a sender has stands in its `identity` table.
(Literature: key rotation.)
"""

from collections.abc import Mapping
from pathlib import Path

from nacl.bindings import crypto_sign_open
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey

from lotus.errors import MessageError
from lotus.modules.envelope import Envelope
from lotus_store.private import private_folder, write_secret, write_secret_once

Stamp = tuple[int, int]


class Keys:
    """The keys of the modules that this home speaks for; a file that was replaced is read again."""

    def __init__(self, folder: Path) -> None:
        """Remember the folder; keys are read or made when first needed."""
        self._folder = folder
        self._known: dict[str, tuple[Stamp, SigningKey]] = {}

    def verify_key(self, module: str) -> str:
        """Return a module's public key as 64 hexadecimal characters."""
        return bytes(self._signing_key(module).verify_key).hex()

    def sign(self, envelope: Envelope) -> str:
        """Return the signature of an envelope by its sender, 128 hexadecimal characters."""
        return self.sign_text(envelope.sender.value, envelope.signed_text())

    def sign_text(self, module: str, signed: bytes) -> str:
        """Return the signature of a module on bytes, 128 hexadecimal characters."""
        return self._signing_key(module).sign(signed).signature.hex()

    def replace(self, module: str) -> str:
        """Put a new key in the place of a module's key, atomically; return its public half.

        The old key is gone; what it signed stays valid as long as the identity table has it.
        """
        key = SigningKey.generate()
        private_folder(self._folder)
        write_secret(self._path(module), bytes(key).hex())
        return bytes(key.verify_key).hex()

    def exists(self, module: str) -> bool:
        """Tell whether a module has a key."""
        return self._path(module).exists()

    def _path(self, module: str) -> Path:
        return self._folder / f"{module}.key"

    def _signing_key(self, module: str) -> SigningKey:
        path = self._path(module)
        if not path.exists():
            write_secret_once(path, bytes(SigningKey.generate()).hex())
        status = path.stat()
        stamp = status.st_ino, status.st_mtime_ns
        cached = self._known.get(module)
        if cached is None or cached[0] != stamp:
            _check_modes(path)
            text = path.read_text(encoding="ascii").strip()
            if len(text) != 64:
                raise MessageError(f"{path} is no key", "64 hexadecimal characters", "the file was damaged")
            cached = self._known[module] = stamp, SigningKey(bytes.fromhex(text))
        return cached[1]


def signing_release(envelope: Envelope, text: str, registered: Mapping[str, frozenset[str]]) -> frozenset[str] | None:
    """Return the releases registered for the key that signed this text, or None when no known key did.

    `registered` maps verify keys to releases; the text must be the canonical one, byte for byte.
    """
    signed = envelope.signed_part(text)
    if signed is None or not envelope.sig:
        return None
    sealed = bytes.fromhex(envelope.sig) + signed
    for key, releases in registered.items():
        try:
            crypto_sign_open(sealed, bytes.fromhex(key))
        except (BadSignatureError, ValueError):
            continue
        return releases
    return None


def _check_modes(path: Path) -> None:
    """Raise `MessageError` when others may read the key or its folder."""
    for place, widest in ((path.parent, 0o700), (path, 0o600)):
        mode = place.stat().st_mode & 0o777
        if mode & ~widest:
            cause = f"copied or restored with other rights: chmod {widest:o} {place}, and rotate the key if it was seen"
            raise MessageError(f"{place} has the mode {mode:04o}", f"{widest:04o} or less", cause)
