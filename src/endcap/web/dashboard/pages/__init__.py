"""One page per file: a `PAGES` tuple, and `ACTIONS` for what its forms do."""
