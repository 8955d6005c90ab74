"""Replace several files of a folder as one step that an interruption cannot leave half done.

First all new files are written beside the old ones (suffix ``.update``) and brought to disk; then a
journal that lists them; from then on the step counts as decided. The files are moved into place, and the
journal is removed. :func:`recover` finishes a decided step, or clears away an undecided one.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from rareearths.upstream import UpstreamError

SUFFIX = ".update"
JOURNAL = ".update-journal.json"


def replace(folder: Path, contents: dict[str, str]) -> None:
    """Replace files, all or none; paths are relative to ``folder``.

    Raises:
        OSError: the disk refused. Before the journal is whole nothing has changed; after it,
            :func:`recover` completes the step.
    """
    digests = {}
    for name, text in contents.items():
        content = text.encode("utf-8")
        _write(folder / (name + SUFFIX), content)
        digests[name] = _digest(content)
    _write(folder / JOURNAL, json.dumps(digests, indent=1).encode())
    _flush_folder(folder)
    _finish(folder, digests)


def recover(folder: Path) -> list[str]:
    """Complete or clear away what an interrupted :func:`replace` left, and give the names of completed files.

    Raises:
        UpstreamError: a file of the decided step is gone or is not what the journal says.
    """
    journal = folder / JOURNAL
    digests = _read_journal(journal)
    if digests is None:
        for leftover in folder.rglob("*" + SUFFIX):
            leftover.unlink()
        journal.unlink(missing_ok=True)
        return []
    for name, digest in digests.items():
        waiting, target = folder / (name + SUFFIX), folder / name
        found = waiting if waiting.is_file() else target
        if not found.is_file() or _digest(found.read_bytes()) != digest:
            raise UpstreamError(
                f"an update of {folder} was interrupted, and {found} has been changed or lost since. Restore the data "
                f"folder from version control, delete {journal} and all *{SUFFIX} files in it, and run the update again"
            )
    return _finish(folder, digests)


def _finish(folder: Path, digests: dict[str, str]) -> list[str]:
    moved = []
    for name in digests:
        waiting = folder / (name + SUFFIX)
        if waiting.is_file():
            os.replace(waiting, folder / name)
            _flush_folder((folder / name).parent)
            moved.append(name)
    (folder / JOURNAL).unlink()
    _flush_folder(folder)
    return moved


def _read_journal(journal: Path) -> dict[str, str] | None:
    """Read the journal; None when there is none or it was cut off while being written (nothing decided)."""
    try:
        return json.loads(journal.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _flush_folder(folder: Path) -> None:
    """Bring a folder's entries to disk, where the system lets folders be opened."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
