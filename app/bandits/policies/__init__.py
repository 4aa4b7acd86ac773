"""One policy per file and the registry that builds them; no posterior mathematics."""
