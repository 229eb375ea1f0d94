"""Numbers of the ledger: what a thread's row holds beside its message; values in, values out."""
