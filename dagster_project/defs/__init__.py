"""Dagster wiring: how the stages hang together, when they run and what the UI shows.

Belongs here: assets, resources, jobs and schedules that call the library code. Does not belong
here: reading sources (`sources`, `landing`), checking (`quality`) or publishing (`publish`).
"""
