"""What the service does: nouns as modules, verbs as functions; no HTTP here."""
