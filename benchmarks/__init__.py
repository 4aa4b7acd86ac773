"""How fast the service is, as ratios within one run: ``python -m benchmarks``, one module per question."""
