"""A seeded synthetic shop of any size, with the skew that real shops have."""
