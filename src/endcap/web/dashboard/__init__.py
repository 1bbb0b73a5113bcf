"""The dashboard: server-rendered pages, each with its data as JSON beside it."""
