"""Jira: issues with their changelogs, worklogs and comments; users, statuses, versions."""
