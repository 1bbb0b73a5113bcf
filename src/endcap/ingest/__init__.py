"""The event path, pure: decode, validate, pseudonymise."""
