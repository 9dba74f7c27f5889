"""The expectation suites: one a source, one a mart, one for privacy; plain data.

Belongs here: modules that each export `SUITE`. Does not belong here: running them, and what dbt
tests hold already (keys, relations and accepted values of the marts).
"""
