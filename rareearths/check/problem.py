"""One fault of the data, in plain words."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_VALUE = 80
"""Characters of a found value that a message repeats; outlines of countries run to thousands."""


@dataclass(frozen=True)
class Problem:
    """One fault: where it is, which rule it breaks, what was found and expected, and what to do about it."""

    file: str
    rule: str
    found: str
    expected: str
    todo: str
    row: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        row = f", row {self.row}" if self.row else ""
        column = f", column {self.column}" if self.column else ""
        return "\n".join(
            [
                f"{self.file}{row}{column}: {self.rule}",
                f"  found     {self.found}",
                f"  expected  {self.expected}",
                f"  to do     {self.todo}",
            ]
        )


def short(value: object) -> str:
    text = repr(str(value))
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 3] + "..."
