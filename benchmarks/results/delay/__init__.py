"""What a bandit loses while conversions are outstanding, and what a delay curve wins back.

Campaigns are played by day with the product's own policy and delay curves; only who knows what when is written
here, for many campaigns at once. ``python -m benchmarks.results`` writes them into the page,
``python -m benchmarks.results.delay`` prints them alone.
"""
