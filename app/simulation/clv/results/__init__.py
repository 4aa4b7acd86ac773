"""What a telco race reports: summaries, propensities, the world in numbers; plays nothing."""
