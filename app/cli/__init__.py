"""The `groundhog` command: one module per group of subcommands; no SQL, no policies, no HTTP routes."""
