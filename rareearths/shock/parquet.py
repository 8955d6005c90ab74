"""The file of an ensemble: pieces as they come into row groups of one size, moved into place when it is whole."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from rareearths.shock.ensemble import COLUMNS, Piece

KEY = "rareearths"
"""Key of the file's metadata; pandas gives the same as .attrs["rareearths"]."""

TYPES = {"runs_out": pa.bool_()}
FEW = ("scenario", "months_above_twice", "runs_out", "month_out")
"""Columns of few values, kept as a dictionary."""

SCHEMA = pa.schema(
    [
        ("scenario", pa.dictionary(pa.int32(), pa.string())),
        ("draw", pa.int64()),
        *((name, TYPES.get(name, pa.float64())) for name in COLUMNS),
    ]
)


class File:
    """A Parquet file under a temporary name beside its own; without commit() it is removed, whatever happens."""

    def __init__(self, path: Path, names: Sequence[str], rows: int, force: bool):
        """Pieces of the jobs called names go to path in row groups of so many rows; force: replace what is there."""
        self.path, self.names, self.rows, self.force = path, list(names), rows, force
        self.temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
        self.schema, self.writer = SCHEMA, None
        self.job, self.waiting, self.count = 0, [], 0

    def __enter__(self) -> File:
        self.raw = self.temporary.open("xb")
        return self

    def describe(self, told: dict) -> None:
        """Give the metadata; before the first piece."""
        text = json.dumps(told, ensure_ascii=False, allow_nan=False)
        kept = {KEY: text, "PANDAS_ATTRS": json.dumps({KEY: told}, ensure_ascii=False)}
        self.writer = parquet.ParquetWriter(
            self.raw, SCHEMA.with_metadata(kept), compression="zstd", use_dictionary=list(FEW)
        )

    def add(self, piece: Piece, values: np.ndarray) -> None:
        """Take a piece; pieces come in their order."""
        if piece.job != self.job:
            self._write(all_of_it=True)
            self.job = piece.job
        which = pa.array(np.zeros(piece.count, dtype=np.int32))
        arrays = [
            pa.DictionaryArray.from_arrays(which, [self.names[piece.job]]),
            pa.array(np.arange(piece.first, piece.first + piece.count)),
        ]
        for name, column in zip(COLUMNS, values, strict=True):
            arrays.append(pa.array(column != 0 if name == "runs_out" else column, from_pandas=name == "month_out"))
        self.waiting.append(pa.Table.from_arrays(arrays, schema=SCHEMA))
        self.count += piece.count
        self._write()

    def _write(self, all_of_it: bool = False) -> None:
        if self.count < (1 if all_of_it else self.rows):
            return
        table = pa.concat_tables(self.waiting)
        first = 0
        while self.count >= self.rows or (all_of_it and self.count):
            part = table.slice(first, self.rows)
            self.writer.write_table(part, row_group_size=self.rows)
            first, self.count = first + len(part), self.count - len(part)
        self.waiting = [table.slice(first)] if self.count else []

    def commit(self) -> None:
        """Write what is left and move the file into place.

        Raises:
            FileExistsError: There is one by now, and it may not be replaced.
        """
        self._write(all_of_it=True)
        self.writer.close()
        self.raw.flush()
        os.fsync(self.raw.fileno())
        self.raw.close()
        if self.path.exists() and not self.force:
            raise FileExistsError(self.path)
        os.replace(self.temporary, self.path)

    def __exit__(self, *_) -> None:
        with contextlib.suppress(OSError, pa.ArrowException):
            if self.writer is not None:
                self.writer.close()
        with contextlib.suppress(OSError):
            self.raw.close()
        self.temporary.unlink(missing_ok=True)


def metadata(path: Path) -> dict:
    """What a file says of itself."""
    return json.loads(parquet.read_schema(path).metadata[KEY.encode()])


def column(path: Path, scenario: str, name: str) -> np.ndarray:
    """One column of one scenario, in the order of the draws; what is missing is NaN."""
    with parquet.ParquetFile(path) as file:
        place = list(metadata(path)["scenarios"]).index(scenario)
        groups = file.num_row_groups // len(metadata(path)["scenarios"])  # all scenarios have as many draws
        read = file.read_row_groups(range(place * groups, (place + 1) * groups), columns=[name])[name]
    return np.array(read.to_numpy())
