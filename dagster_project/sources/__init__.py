"""What Jira, CRM and HR deliver: entities, their fields, and the rows that their files hold.

Belongs here: declarations and readers, one package a system. Does not belong here: where rows go
(see `landing`), orchestration. Nothing below this package imports dagster.
"""
