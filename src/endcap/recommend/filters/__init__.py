"""Filters remove candidates; each file is one filter of the same name."""
