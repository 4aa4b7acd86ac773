"""What the client's tests share: written answers, event loops, processes and the service itself."""
