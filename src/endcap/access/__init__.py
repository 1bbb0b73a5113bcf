"""Credentials, pure: keys, passwords, tokens and their one verifier, sealed values."""
