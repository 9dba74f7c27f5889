"""What is true of the simulated company, for every metric of the definitions.

What belongs here: sums over the hidden state as of an instant. What does not: emitted records
(`sandbox/records`), and anything the platform computes; it is judged by what stands here.
"""

from sandbox.truth.files import TruthWritten, write
from sandbox.truth.scorecard import metrics

__all__ = ["TruthWritten", "metrics", "write"]
