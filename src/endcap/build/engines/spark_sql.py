"""Where Spark's SQL differs from DuckDB's: all of it, in one place."""

import re

# A number with a point is a decimal to Spark, whose quotients are rounded; these are doubles.
_SAME = (
    (re.compile(r"(?<![\w.])(\d+\.\d+)(?![\w.])"), r"\1D"),
    (re.compile(r"\bARG_MIN\("), "MIN_BY("),
    (re.compile(r"\bARG_MAX\("), "MAX_BY("),
    (re.compile(r"\bunnest\("), "explode("),
    (re.compile(r"\bHASH\("), "XXHASH64("),
    # Names are numbered in any order, which Spark wants to be named.
    (re.compile(r"SELECT (\w+) AS name, row_number\(\) OVER \(\)"),
     r"SELECT \1 AS name, row_number() OVER (ORDER BY \1)"),
    (re.compile(r"\bVARCHAR\[\]"), "ARRAY<STRING>"),
    (re.compile(r"\bVARCHAR\b"), "STRING"),
    (re.compile(r"\bCAST\(\[\] AS"), "CAST(ARRAY() AS"),
)  # fmt: skip
_MADE = re.compile(r"\s*CREATE (?:OR REPLACE )?(?:TABLE|VIEW) (\w+) AS\s+(.*)", re.DOTALL)

# Spark has no ASOF join: the first merge after each row is looked up.
PEOPLE = """
CREATE VIEW people AS
WITH followed AS (
  SELECT a.seq, a.line, MIN_BY(m.known, m.seq) AS known
  FROM archived AS a JOIN merges AS m ON a.visitor = m.name AND a.seq < m.seq
  GROUP BY a.seq, a.line
)
SELECT a.* EXCEPT (visitor), COALESCE(f.known, a.visitor) AS visitor
FROM archived AS a LEFT JOIN followed AS f ON f.seq = a.seq AND f.line = a.line
"""


def spark_sql(text: str) -> str:
    """A query or statement written for DuckDB, as Spark wants it."""
    for pattern, change in _SAME:
        text = pattern.sub(change, text)
    return text


def made_by(statement: str) -> tuple[str, str] | None:
    """The name and the query of a statement that makes a table or a view."""
    found = _MADE.fullmatch(statement)
    return (found[1], found[2]) if found else None
