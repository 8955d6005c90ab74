"""Publish figures, tables, numbers and statements that carry their own provenance."""

from rareearths.publish.bundle import PublishError
from rareearths.publish.figure import figure
from rareearths.publish.number import number
from rareearths.publish.statement import statement
from rareearths.publish.table import cards, table

__all__ = ["PublishError", "cards", "figure", "number", "statement", "table"]
