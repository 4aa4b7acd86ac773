"""Runs of the simulator: queue, workers, results and log replay; the worlds live in app/simulation."""
