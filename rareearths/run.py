"""Run the chapters whose code, library or data have changed, and store their outputs.

What a chapter rests on is written into its notebook when it has run: digests of its code cells, of the modules
and package files it imported, of the tables and sources it loaded, of what it took from other chapters, of the pinned
requirements, and of its own outputs. It is stale when any of them differs today; time stamps play no part.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import hashlib
import json
import os
import re
import sys
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rareearths import data, published, quoted

# nbformat, nbclient and tqdm are imported where something is run: often nothing is, and that should be quick.

KEY = "rareearths"
CELL_SECONDS = 600
"""A cell that runs longer is taken to hang."""

_PACKAGE = Path(__file__).resolve().parent
_ASK = """
import json as _json, sys as _sys
from pathlib import Path as _Path
import rareearths as _r, rareearths.data as _d
_q = _sys.modules.get("rareearths.quoted")
_json.dumps({"modules": sorted(m.__name__ for m in list(_sys.modules.values())
             if getattr(m, "__name__", "").split(".")[0] == "rareearths"), "loaded": _d.loaded() | (_q.taken() if _q else {})})
"""


class ChapterFailed(Exception):
    """A cell of a chapter raised; the chapter's file is as it was."""


@dataclass(frozen=True)
class Outcome:
    """What became of one chapter: its notebook, why it was run (empty: it was not), the error if it failed, and what
    it publishes otherwise than before."""

    notebook: Path
    reasons: list[str]
    error: str = ""
    changes: tuple[str, ...] = ()


def why_stale(notebook: Path) -> list[str]:
    """Say what has changed since a chapter's outputs were stored; an empty list means that they are current.

    Raises:
        ChapterFailed: the file is not a notebook.
    """
    content = _content(notebook)
    then = content["metadata"].get(KEY, {}).get("inputs")
    if not then:
        return ["it has never been run"]
    now = {key: _current(key, content) for key in then}
    return [_reason(key, now[key]) for key in sorted(then) if then[key] != now[key]]


def run(notebooks: list[Path], force: bool = False, jobs: int | None = None, progress: bool = True) -> list[Outcome]:
    """Run stale chapters, several at a time, each in a process of its own.

    A chapter's file is replaced in one step when all its cells have run, and otherwise left as it was. One that takes
    from others what this run has changed is run after them.

    Args:
        notebooks: the chapters to look at.
        force: run them whether stale or not.
        jobs: how many at a time; by default one for each processor.
        progress: show a bar of cells done.
    """
    reasons = {notebook: ["forced"] if force else why_stale(notebook) for notebook in notebooks}
    todo = [notebook for notebook in notebooks if reasons[notebook]]
    errors: dict[Path, str] = {}
    before = {notebook: _published(notebook) for notebook in todo}
    if todo:
        from tqdm import tqdm

        total = sum(cell["cell_type"] == "code" for notebook in todo for cell in _content(notebook)["cells"])
        with tqdm(total=total, unit="cell", disable=not progress, desc="running", file=sys.stderr) as bar:
            errors = _finish(_run_all(todo, jobs or os.cpu_count() or 1, bar))
            after = {n: _taken_anew(n) for n in notebooks if n not in errors}
            again = [notebook for notebook, reason in after.items() if reason]
            if again:
                before |= {notebook: _published(notebook) for notebook in again if notebook not in before}
                bar.total += sum(cell["cell_type"] == "code" for n in again for cell in _content(n)["cells"])
                errors |= _finish(_run_all(again, jobs or os.cpu_count() or 1, bar))
                reasons |= {notebook: reasons[notebook] or after[notebook] for notebook in again}
                todo += [notebook for notebook in again if notebook not in todo]
    changed = {
        notebook: tuple(published.changes(before[notebook], _published(notebook)))
        for notebook in todo
        if notebook not in errors and before[notebook]
    }
    return [
        Outcome(notebook, reasons[notebook], errors.get(notebook, ""), changed.get(notebook, ()))
        for notebook in notebooks
    ]


def _taken_anew(notebook: Path) -> list[str]:
    """Say what a chapter takes from others that has changed since it ran."""
    return [reason for reason in why_stale(notebook) if reason.startswith("published ")]


def _published(notebook: Path) -> list[published.Published]:
    return published.read(notebook, notebook.parent)


def _finish(job: Coroutine) -> dict[Path, str]:
    """Run a coroutine to its end, in a thread of its own where this one has a loop running already, as a notebook has."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(job)
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(asyncio.run, job).result()


async def _run_all(notebooks: list[Path], jobs: int, bar) -> dict[Path, str]:
    gate = asyncio.Semaphore(jobs)
    errors: dict[Path, str] = {}

    async def one(notebook: Path) -> None:
        async with gate:
            bar.set_postfix_str(notebook.stem)
            try:
                await _run_one(notebook, bar)
            except ChapterFailed as error:
                errors[notebook] = str(error)

    await asyncio.gather(*(one(notebook) for notebook in notebooks))
    return errors


async def _run_one(notebook: Path, bar) -> None:
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    try:
        book = nbformat.read(notebook, as_version=4)
    except Exception as error:  # nbformat raises many kinds for a file that is no notebook
        raise ChapterFailed(f"{notebook}: not a notebook ({error.__class__.__name__}: {error})") from None

    def done(cell, cell_index, **_) -> None:
        bar.update(1)

    client = NotebookClient(
        book,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        record_timing=False,
        on_cell_executed=done,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(notebook.parent)}},
    )
    try:
        async with client.async_setup_kernel(env=_environment()):
            for index, cell in enumerate(book.cells):
                await client.async_execute_cell(cell, index)
            answer = await _ask(client)
    except CellExecutionError as error:
        raise ChapterFailed(_failure(notebook, book, str(error.ename), str(error.evalue))) from None
    except CellTimeoutError:
        raise ChapterFailed(_failure(notebook, book, "Timeout", f"no answer within {CELL_SECONDS} s")) from None
    except DeadKernelError:
        raise ChapterFailed(_failure(notebook, book, "DeadKernel", "the process that ran it has ended")) from None
    _refuse_warnings(notebook, book)
    _clean(book)
    book.metadata[KEY] = {"inputs": _inputs(json.loads(nbformat.writes(book)), answer)}
    _write(notebook, nbformat.writes(book))


async def _ask(client) -> dict:
    """Ask the process that ran a chapter which modules it imported and what it loaded."""
    from nbformat.v4 import new_code_cell

    question = new_code_cell(_ASK)
    client.nb.cells.append(question)
    client.on_cell_executed = None
    await client.async_execute_cell(question, len(client.nb.cells) - 1, store_history=False)
    client.nb.cells.pop()
    return json.loads(ast.literal_eval(question.outputs[-1]["data"]["text/plain"]))


def _environment() -> dict[str, str]:
    """Give the environment of a chapter: the same on every machine as far as that changes what it computes."""
    return {
        **os.environ,
        "PYTHONHASHSEED": "0",
        "MPLBACKEND": "agg",
        "TZ": "UTC",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def _inputs(content: dict, answer: dict) -> dict[str, str]:
    inputs = {key: _current(key, content) for key in ("code", "outputs", "requirements")}
    inputs |= {f"module:{module}": _module(module) for module in answer["modules"]}
    return dict(sorted((inputs | answer["loaded"]).items()))


def _current(key: str, content: dict) -> str | None:
    """Give today's digest of one input of a chapter; ``content`` is its notebook as JSON."""
    kind, _, name = key.partition(":")
    cells = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    if kind == "code":
        return _digest([_joined(cell["source"]) for cell in cells])
    if kind == "outputs":
        return _digest([cell["outputs"] for cell in cells])
    if kind == "requirements":
        path = published.REPOSITORY / "requirements.txt"
        return _digest(path.read_text(encoding="utf-8")) if path.is_file() else ""
    if kind == "module":
        return _module(name)
    if kind == "published":
        return quoted.current(key)
    return data.current(key)


def _reason(key: str, now: str | None) -> str:
    kind, _, name = key.partition(":")
    if kind in ("code", "outputs"):
        return f"its {kind} {'has' if kind == 'code' else 'have'} changed"
    if kind == "requirements":
        return "requirements.txt has changed"
    return f"{kind} {name} {'is gone' if now is None else 'has changed'}"


def _module(name: str) -> str | None:
    """Give the digest of a module of ours; a package's counts the other files it brings (fonts), not its modules."""
    base = _PACKAGE.parent.joinpath(*name.split("."))
    if base.with_suffix(".py").is_file():
        return _digest_bytes(base.with_suffix(".py").read_bytes())
    if not (base / "__init__.py").is_file():
        return None
    content = [(base / "__init__.py").read_bytes()]
    if name == "rareearths.publish":
        content += [path.read_bytes() for path in sorted(base.glob("fonts/*.ttf"))]
    return _digest_bytes(b"\0".join(content))


def _refuse_warnings(notebook: Path, book) -> None:
    """Refuse a chapter that writes to stderr: what it says would stand on the page."""
    for position, cell in enumerate(book.cells, start=1):
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr":
                raise ChapterFailed(
                    f"{notebook.name}, cell {position} warns, and a page may not: {output.text.strip()[:400]}"
                )


def _clean(book) -> None:
    """Take out what differs between machines and runs."""
    book.metadata.pop("widgets", None)
    book.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    book.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    count = 0
    for cell in book.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            count += 1
            cell.execution_count = count
            for output in cell.outputs:
                if "execution_count" in output:
                    output.execution_count = count


def _content(notebook: Path) -> dict:
    """Read a notebook as JSON.

    Raises:
        ChapterFailed: there is no such file, or it is not a notebook.
    """
    try:
        content = json.loads(notebook.read_text(encoding="utf-8"))
        if not all(cell["cell_type"] for cell in content["cells"]):
            raise ValueError("a cell has no type")
    except FileNotFoundError:
        raise ChapterFailed(f"{notebook}: there is no such file") from None
    except (ValueError, KeyError, TypeError) as error:
        raise ChapterFailed(f"{notebook}: not a notebook ({error.__class__.__name__}: {error})") from None
    return content


def _write(notebook: Path, text: str) -> None:
    fresh = notebook.with_suffix(".ipynb.new")
    fresh.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
    os.replace(fresh, notebook)


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def _failure(notebook: Path, book, kind: str, message: str) -> str:
    for position, cell in enumerate(book.cells, start=1):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                line = _line_of(output)
                first = cell.source.strip().splitlines()[0] if cell.source.strip() else ""
                return f"{notebook.name}, cell {position}{line} ({first!r}): {output.ename}: {output.evalue}"
    return f"{notebook.name}: {kind}: {message}"


def _line_of(output) -> str:
    for entry in reversed(output.traceback):
        plain = re.sub(r"\x1b\[[0-9;]*m", "", entry)
        found = re.search(r"Cell In\[\d+\], line (\d+)", plain)
        if found:
            return f", line {found[1]}"
    return ""


def _digest(content) -> str:
    return _digest_bytes(json.dumps(content, sort_keys=True, ensure_ascii=False).encode())


def _digest_bytes(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def select(names: list[str]) -> list[Path]:
    """Find chapters by number, name or path; no names means all.

    Raises:
        ChapterFailed: a name fits no chapter; the message lists those there are.
    """
    every = published.chapters()
    if not names:
        return every
    chosen = []
    for name in names:
        wanted = Path(name).stem
        fits = [c for c in every if c.stem == wanted or c.stem.split("_")[0].lstrip("0") == wanted.lstrip("0")]
        if not fits:
            raise ChapterFailed(f"no chapter {name!r}; there are: {', '.join(chapter.stem for chapter in every)}")
        chosen += fits
    return chosen


def outdated_statements(notebooks: list[Path]) -> list[str]:
    """List the statements and titles of figures that the stored outputs say no longer hold, with chapter and test."""
    return [
        f'{notebook.stem}: {thing.id}: "{thing.payload.get("sentence") or thing.payload["title"]}" '
        f"(test: {thing.payload.get('test', 'that of its title')})"
        for notebook in notebooks
        for thing in published.read(notebook)
        if not thing.payload.get("holds", True)
    ]


def main(arguments: list[str]) -> int:
    """Run from the command line; 0 when all is well, 1 when a chapter failed."""
    parser = argparse.ArgumentParser(prog="python -m rareearths run", description="Run the chapters that are stale.")
    parser.add_argument("chapter", nargs="*", help="number or name of a chapter, e.g. 3 or 03_who_mines; default: all")
    parser.add_argument("--force", action="store_true", help="run them whether stale or not")
    parser.add_argument("--jobs", type=int, metavar="N", help="how many at a time (default: one a processor)")
    parser.add_argument("--stale", action="store_true", help="only say which are stale and why, and run nothing")
    options = parser.parse_args(arguments)
    try:
        notebooks = select(options.chapter)
        if options.stale:
            for notebook in notebooks:
                print(f"{notebook.stem}: {'; '.join(why_stale(notebook)) or 'current'}")
            return 0
        outcomes = run(notebooks, force=options.force, jobs=options.jobs)
    except (ChapterFailed, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1
    for outcome in outcomes:
        if outcome.error:
            print(f"FAILED  {outcome.error}", file=sys.stderr)
        elif outcome.reasons:
            print(f"run     {outcome.notebook.stem}: {_few(outcome.reasons)}")
            for change in outcome.changes:
                print(f"        {change}")
        else:
            print(f"current {outcome.notebook.stem}")
    failed = [outcome for outcome in outcomes if outcome.error]
    stale = outdated_statements([outcome.notebook for outcome in outcomes if not outcome.error])
    if stale:
        print("Statements that no longer hold; reword them or correct the data:", *stale, sep="\n  ", file=sys.stderr)
    if failed:
        print(f"{len(failed)} of {len(outcomes)} chapters failed; their files are as they were.", file=sys.stderr)
    return 1 if failed else 0


def _few(reasons: list[str], most: int = 3) -> str:
    more = len(reasons) - most
    return "; ".join(reasons[:most]) + (f"; and {more} more" if more > 0 else "")
