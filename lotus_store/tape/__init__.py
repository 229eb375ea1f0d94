"""Raw tape on disk: recorder segments, reading with verification, importers, retention and the tape report.

Lines are kept exactly as received; decoding them is `lotus.microtape`. No Parquet and no SQL here.
"""
