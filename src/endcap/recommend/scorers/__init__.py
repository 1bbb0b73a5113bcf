"""Scorers value candidates; each file is one scorer of the same name."""
