"""Reading snapshots: memory-mapped relations with their evidence."""
