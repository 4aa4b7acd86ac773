"""Tables out of the reports of test runs."""
