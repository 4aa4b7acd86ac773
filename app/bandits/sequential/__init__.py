"""Unit-by-unit play of policies over many replications; only the simulator calls it."""
