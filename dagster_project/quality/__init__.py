"""The audit between transformation and publication.

Belongs here: expectation suites, their runner, and the record of every check's result. Does not
belong here: the decision to publish (see `publish`) and anything of the orchestrator.
"""
