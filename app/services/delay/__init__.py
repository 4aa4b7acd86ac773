"""The delay of an experiment's conversions: read from its reports and receptions, for a date; writes nothing."""
