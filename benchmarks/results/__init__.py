"""What the policies achieve in the simulator, beside the inherited claims, for docs/benchmarks.

Run with ``python -m benchmarks.results``; the same command gives the same values. Every measured value comes
from `play` of one of the worlds (or from Google's example) and carries its 95 % interval.
"""
