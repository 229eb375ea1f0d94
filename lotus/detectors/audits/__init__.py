"""Audits of detectors on a day that is over: do they know the future, and do they break when the tape is disturbed."""
