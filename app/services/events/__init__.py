"""Ingests exposures and rewards and rolls them up into daily totals; decides no share."""
