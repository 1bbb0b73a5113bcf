"""A small shop front over the demo's data, whose recommendations change as one clicks."""
