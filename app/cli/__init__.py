"""The `groundhog` command: one module per group of subcommands; no SQL, no policy and no HTTP routes."""
