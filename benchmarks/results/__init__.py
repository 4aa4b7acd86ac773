"""What the policies achieve in the simulator, beside the claims this project inherited: writes docs/benchmarks/simulation-results.md.

Run with ``python -m benchmarks.results``; the same command gives the same figures. Every measured figure comes
from `play` of one of the worlds (or from Google's example) and carries its 95 % interval.
"""
