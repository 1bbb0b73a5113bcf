"""Retrievers propose candidates; each file is one retriever of the same name."""
