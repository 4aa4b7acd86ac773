"""Units, splits and flags as the API reads and shows them."""
