"""The policies of the telco race, one per file, on the service's own totals, posteriors and draws."""
