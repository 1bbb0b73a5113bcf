"""Rerankers order candidates; each file is one reranker of the same name."""
