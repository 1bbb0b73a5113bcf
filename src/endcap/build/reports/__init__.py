"""Reports: rollups folded from the archive by day, the live tail on top, and queries over both."""
