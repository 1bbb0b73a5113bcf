"""Experiments, pure: who meets which variant, and what may be concluded from it."""
