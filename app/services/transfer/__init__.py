"""Export and import of whole experiments as files; no other service imports it."""
