"""Export and import of whole experiments as files; other services do not import it."""
