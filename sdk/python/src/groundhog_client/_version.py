"""The version of this package, alone in its file so that building a wheel needs no dependency."""

__version__ = "0.1.0"
