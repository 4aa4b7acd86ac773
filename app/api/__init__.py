"""HTTP: one router per noun, errors as problem+json."""
