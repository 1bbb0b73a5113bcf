"""The expression language: parse, check, then run on columns, on one product, or as English."""
