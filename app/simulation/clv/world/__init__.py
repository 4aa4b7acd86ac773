"""The telco world: products, customers, responses, lifetime value; knows no policy."""
