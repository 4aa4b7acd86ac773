"""One module per resource with its routes; SQL and decisions live in the services."""
