"""What crosses the wire, by noun."""
