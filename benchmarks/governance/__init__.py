"""Proofs of governance: worlds whose truth is known, rows in `docs/evidence`, naive arms beside."""
