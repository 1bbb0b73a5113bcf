"""Saved reports: what people look at again."""

from endcap.core.merchant import SavedReport
from endcap.web.decisions import DecisionPages

EXAMPLE = {"title": "Strategies, every touch", "group_by": "strategy", "days": 28, "model": "any"}
OPERATIONS = DecisionPages("report", "saved-reports", SavedReport, EXAMPLE).operations()
