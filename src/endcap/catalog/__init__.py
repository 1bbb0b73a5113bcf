"""The catalogue as columns in memory: product id to index, live changes, eligibility."""
