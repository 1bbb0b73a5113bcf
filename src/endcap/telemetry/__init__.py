"""What operators see: logs as JSON lines, metrics, errors. Never personal data."""
