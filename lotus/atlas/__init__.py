"""Numbers of the ledger: what a thread's row says beyond who told whom what; values in, values out."""
