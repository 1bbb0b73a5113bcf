"""Endcap: product recommendations by rules and counting."""
