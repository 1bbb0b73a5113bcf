"""Readers of files of products and events."""
