"""The demo shop: real data of a UK gift shop."""
