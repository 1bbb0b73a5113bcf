"""Running servers, loading them, and reporting what was measured."""
