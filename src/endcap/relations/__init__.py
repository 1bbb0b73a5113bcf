"""Reading snapshots: memory-mapped relations with their evidence, joined to the live catalogue."""
