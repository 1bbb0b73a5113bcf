"""The request path, pure: query, retrieve, filter, score, arrange, explain."""
