"""Publish figures, tables, numbers, statements and explorers that carry their own provenance."""

from rareearths.publish.bundle import PublishError
from rareearths.publish.explorer import explorer
from rareearths.publish.figure import figure
from rareearths.publish.number import number
from rareearths.publish.statement import statement
from rareearths.publish.table import cards, table

__all__ = ["PublishError", "cards", "explorer", "figure", "number", "statement", "table"]
