"""The vendors' APIs, as the company's own servers on 127.0.0.1.

What belongs here: one module a vendor that answers requests the way that vendor does, and what all
of them stand on: the virtual clock, faults on demand, the control endpoint, the file drop. What
does not: what a record looks like (`sandbox/records`), and clients of these servers.
"""
