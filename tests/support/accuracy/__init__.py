"""The platform's estimates beside the truth of a simulated company.

What belongs here: running the platform on companies whose truth is known, and comparing. What
does not: the truth itself (`sandbox/truth`), or a threshold (nothing here fails a build).
"""
