"""Publication: what readers get and how it changes under them without their noticing.

Belongs here: generations and their contents. Does not belong here: building tables (dbt) and
judging them (`quality`).
"""
