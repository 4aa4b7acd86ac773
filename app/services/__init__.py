"""Use cases with their SQL: one package per noun, functions are verbs; no HTTP, and nothing commits here."""
