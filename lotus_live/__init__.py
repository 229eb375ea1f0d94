"""The live daemon: feed, recorder, tape machine, publication. It never imports Dagster and never waits for it."""
