"""The simulated company: hidden state, and the vendor records that it leaves behind.

What belongs here: everything that invents records. What does not: ingestion, models and
anything else that reads them; `dagster_project` mounts `sandbox.cli` and imports nothing else.
"""
