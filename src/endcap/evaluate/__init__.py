"""Measuring the serving code on held-out data: sessions, baskets, pairs, and the shop's own log."""
