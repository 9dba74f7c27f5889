"""The simulated company: hidden state, the vendor records that it leaves behind, and its truth.

What belongs here: everything that invents records. What does not: ingestion, models and
anything else that reads them; `dagster_project` mounts `sandbox.cli` and imports nothing else.
"""
