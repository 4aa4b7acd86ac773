"""What conversions that are still to come cost: reports stored and read again and again, and receptions."""
