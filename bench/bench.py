"""Measure what pages weigh and how long a build takes, and write bench/results.md. Run it with ``make bench``.

Times are given as ratios within one run on one machine; no test asserts a time.
"""

from __future__ import annotations

import gzip
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import shock

from rareearths import data

REPOSITORY = Path(__file__).resolve().parent.parent
RUNS = 2
STOCK_SPHINX = """sphinx:
  extra_extensions: [sphinxcontrib.bibtex, rareearths.site]
  config:
    bibtex_bibfiles: [book/references.bib]
    bibtex_reference_style: author_year
    bibtex_default_style: plain
"""
SHOWN = ("html", "figures in it", "style", "script", "font", "image")


def main() -> int:
    """Measure, print and write."""
    with tempfile.TemporaryDirectory() as folder:
        times = measure_times(copy_book(Path(folder) / "book"))
    text = report(times, measure_weights(REPOSITORY / "_build" / "html"), measure_loading())
    text += "\n" + "\n".join(shock.section()) + "\n"
    (REPOSITORY / "bench" / "results.md").write_text(text, encoding="utf-8")
    print(text)
    return 0


def copy_book(place: Path) -> Path:
    """Copy the book, so that what is measured changes nothing in the repository."""
    for name in ("book", "data", "rareearths", "_config.yml", "_toc.yml", "CITATION.cff", "requirements.txt"):
        source, target = REPOSITORY / name, place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        ignore = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
        shutil.copytree(source, target, ignore=ignore) if source.is_dir() else shutil.copy(source, target)
    return place


def measure_times(place: Path) -> dict[str, list[float]]:
    """Time each job in turn, several rounds, so that a slow spell of the machine meets all of them."""
    jobs = {"stock": stock, "full": full, "one table": one_table, "nothing": nothing, "check": check}
    times: dict[str, list[float]] = {name: [] for name in jobs}
    full(place)  # stock Jupyter Book needs ids that are published, and caches are warmed
    for round_ in range(1, RUNS + 1):
        for name, job in jobs.items():
            print(f"round {round_} of {RUNS}: {name} ...", file=sys.stderr, flush=True)
            times[name].append(job(place))
    return times


def stock(place: Path) -> float:
    """Jupyter Book itself, executing the same chapters one after another (``force``), with its own theme and extensions."""
    own = place.with_name("stock")
    shutil.rmtree(own, ignore_errors=True)
    shutil.copytree(place, own, ignore=shutil.ignore_patterns("_build"))
    config = (own / "_config.yml").read_text().replace('execute_notebooks: "off"', "execute_notebooks: force")
    # Of this book only the roles and the renderer of published things, without which the chapters do not parse.
    config = config[: config.index("sphinx:")] + STOCK_SPHINX
    (own / "_config.yml").write_text(config)
    return timed([sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", str(own), "-q"], own)


def full(place: Path) -> float:
    """All chapters and the whole site from nothing."""
    shutil.rmtree(place / "_build", ignore_errors=True)
    for chapter in (place / "book" / "chapters").glob("*.ipynb"):
        content = json.loads(chapter.read_text())
        content["metadata"].pop("rareearths", None)
        chapter.write_text(json.dumps(content))
    return timed([sys.executable, "-m", "rareearths", "book"], place)


def one_table(place: Path) -> float:
    """A remark has changed in a table that one chapter reads."""
    table = place / "data" / data.describe(read_by_one_chapter(place))["path"]
    lines = table.read_text().splitlines(keepends=True)
    lines[1] = lines[1].rstrip("\n").rsplit(",", 1)[0] + f",measured {time.time_ns()}\n"
    table.write_text("".join(lines))
    return timed([sys.executable, "-m", "rareearths", "book"], place)


def read_by_one_chapter(place: Path) -> str:
    """Name the first table that one chapter alone has read and whose last column is a remark without quotes."""
    readers: dict[str, int] = {}
    for chapter in (place / "book" / "chapters").glob("*.ipynb"):
        for source in json.loads(chapter.read_text())["metadata"]["rareearths"]["inputs"]:
            if source.startswith("table:"):
                readers[source[6:]] = readers.get(source[6:], 0) + 1
    for name in data.tables():
        last = data.describe(name)["schema"]["fields"][-1]["name"]
        first_row = (data.root() / data.describe(name)["path"]).read_text().splitlines()[1]
        if readers.get(name) == 1 and last == "note" and not first_row.endswith('"'):
            return name
    sys.exit("no table is read by one chapter alone, so that job cannot be measured")


def nothing(place: Path) -> float:
    """Nothing has changed."""
    return timed([sys.executable, "-m", "rareearths", "book"], place)


def check(place: Path) -> float:
    """All tables are checked."""
    return timed([sys.executable, "-m", "rareearths", "check"], place)


def measure_loading() -> list[float]:
    """Give, for several rounds, the time of loading all tables as chapters do over that of reading their CSVs, typed alike."""
    ratios = []
    for _ in range(RUNS + 1):
        seconds = []
        for read in (data.load, read_plainly):
            begun = time.perf_counter()
            for name in data.tables():
                read(name)
            seconds.append(time.perf_counter() - begun)
        ratios.append(seconds[0] / seconds[1])
    return ratios[1:]  # the first one warms up


def read_plainly(name: str) -> None:
    """Read the CSV of a table with the same types, and nothing else."""
    resource = data.describe(name)
    types = {field["name"]: data.PANDAS_TYPES[field["type"]] for field in resource["schema"]["fields"]}
    pd.read_csv(data.root() / resource["path"], dtype=types, keep_default_na=False, na_values=[""])


def timed(command: list[str], place: Path) -> float:
    """Run a command in a copy of the repository and give its seconds; its failure ends the measurement."""
    environment = {**os.environ, "PYTHONPATH": str(place)}
    begun = time.perf_counter()
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begun
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return seconds


def measure_weights(site: Path) -> dict[str, dict[str, int]]:
    """Give, for each page, the compressed bytes of what it loads, by kind."""
    weights = {}
    for page in sorted(site.glob("book/**/*.html")):
        text = page.read_text(encoding="utf-8")
        parts = dict.fromkeys(SHOWN, 0)
        parts["html"] = len(gzip.compress(text.encode(), 9))
        without = re.sub(r'<div class="ev-chart.*?</svg></div>', "", text, flags=re.S)
        parts["figures in it"] = parts["html"] - len(gzip.compress(without.encode(), 9))
        for link in re.findall(
            r'<(?:link[^>]+rel="(?:stylesheet|shortcut icon)"[^>]+href|script[^>]+src|img[^>]+src)="([^"]+)"', text
        ):
            file = (page.parent / link.split("?")[0]).resolve()
            kind = {".css": "style", ".js": "script"}.get(file.suffix, "image")
            parts[kind] += len(gzip.compress(file.read_bytes(), 9))
        parts["font"] = sum(file.stat().st_size for file in (site / "_static").glob("Inter-*.woff2"))
        weights[page.relative_to(site).as_posix()] = parts
    return weights


def report(times: dict[str, list[float]], weights: dict[str, dict[str, int]], loading: list[float]) -> str:
    """Write both as Markdown tables."""

    def row(job: str, a: str, b: str, to_reach: float) -> str:
        each = [x / y for x, y in zip(times[a], times[b], strict=True)]
        return f"| {job} | {statistics.median(each):.2f} ({min(each):.2f} to {max(each):.2f}) | {to_reach} |"

    total = {page: sum(v for k, v in parts.items() if k != "figures in it") for page, parts in weights.items()}
    chapters = [v for page, v in total.items() if "/chapters/" in page]
    lines = [
        "# Measurements",
        "",
        f"Made by `make bench`, {RUNS} rounds after one to warm up, all jobs in turn in each round.",
        f"Machine: {os.cpu_count()} processors, {memory_gib()} GiB of memory, {platform.system()}, Python {platform.python_version()}.",
        "",
        "## Times, as ratios of jobs of the same round: median (least to greatest)",
        "",
        f"| job, with {len(chapters)} chapters | ratio | to reach |",
        "| --- | --- | --- |",
        row(
            "full run of all chapters and build, against stock jupyter-book executing them (`force`)",
            "full",
            "stock",
            0.5,
        ),
        row("one table changed that one chapter reads, against the full run", "one table", "full", 0.25),
        row("nothing changed, against the full run", "nothing", "full", 0.1),
        row("all tables checked, against the full run", "check", "full", 0.1),
        "",
        f"Loading all {len(data.tables())} tables as chapters do, against reading their CSVs with the same types: "
        f"{statistics.median(loading):.2f} ({min(loading):.2f} to {max(loading):.2f}); to reach: 1.",
        "",
        "Stock is Jupyter Book with its default theme and extensions and this book's roles, renderer and downloads.",
        "",
        "## Weight of pages, compressed, in thousand bytes",
        "",
        "| page | all | " + " | ".join(SHOWN) + " |",
        "| --- |" + " ---: |" * (len(SHOWN) + 1),
    ]
    for page, parts in weights.items():
        lines.append(
            f"| {page} | {total[page] / 1000:.0f} | " + " | ".join(f"{parts[kind] / 1000:.0f}" for kind in SHOWN) + " |"
        )
    lines += [
        "",
        f"Median chapter: {statistics.median(chapters) / 1000:.0f} (to reach: 150; no page above 500). "
        f"Scripts and styles of a chapter: {max(p['style'] + p['script'] for p in weights.values()) / 1000:.0f} (to reach: 80). "
        "*Figures in it* is the part of html that is drawings. Text is counted as gzip sends it (level 9), fonts as they are.",
    ]
    return "\n".join(lines) + "\n"


def memory_gib() -> int:
    """Give the machine's memory, rounded; 0 where the system does not say."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
    except (ValueError, OSError, AttributeError):
        return 0


if __name__ == "__main__":
    sys.exit(main())
