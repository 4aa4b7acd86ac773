"""The telco world: who is called or mailed with which offer, and what that adds to customer lifetime value."""
