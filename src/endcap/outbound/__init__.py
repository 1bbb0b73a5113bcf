"""Calls that the server makes itself: to addresses that were checked, within limits."""
