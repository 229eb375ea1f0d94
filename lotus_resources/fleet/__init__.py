"""A fleet: Dagster's runs on other machines.

`lease` says who executes a run, `launcher` hands it out, `worker` takes it, `broker` is what both agree on. Only the
choice of a launcher is a setting; without one nothing here is imported and one machine runs as before.
"""
