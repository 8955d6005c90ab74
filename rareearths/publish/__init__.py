"""Publish figures, tables, numbers and statements that carry their own provenance."""

from rareearths.publish.bundle import PublishError
from rareearths.publish.figure import figure
from rareearths.publish.number import number
from rareearths.publish.statement import statement
from rareearths.publish.table import table

__all__ = ["PublishError", "figure", "number", "statement", "table"]
