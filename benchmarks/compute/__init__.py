"""What computations cost in one process: the mathematics and the simulator, beside their peers."""
