"""The mathematics, numpy alone: arms, posteriors, the probability of being best, and one policy per file."""
