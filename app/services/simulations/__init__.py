"""Runs of the simulator: queue, workers, results and log replay; the worlds are in app.simulation."""
