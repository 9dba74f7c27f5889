"""The company lives: each module fills its tables of the hidden state (`sandbox/hidden.sql`).

What belongs here: draws and their consequences. What does not: how a system tells of them
(`sandbox/records`) and what they amount to (`sandbox/truth`).
"""
