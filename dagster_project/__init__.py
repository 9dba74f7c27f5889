"""Mission Metrics: Jira, CRM and HR records become mission metrics.

This file stays empty of code: importing the package costs nothing and does no I/O.
"""
