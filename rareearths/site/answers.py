"""The list of chapters on the page of all answers: each with its question and its answer, taken from the chapter itself."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

from rareearths import published

_QUESTION = re.compile(r"^\*\*The question\.\*\* (.+)$", re.MULTILINE)
_ANSWER = re.compile(r"^```\{admonition\} Answer\n(?::[^\n]*\n)*(.+?)^```", re.MULTILINE | re.DOTALL)


class NoAnswer(ValueError):
    """A chapter does not open with its question and its answer."""


@dataclass(frozen=True)
class Opening:
    """How a chapter opens: its title, its question and its answer, as MyST text."""

    title: str
    question: str
    answer: str


def opening(notebook: Path) -> Opening:
    """Read the opening of a chapter.

    Raises:
        NoAnswer: the first cell has no title, no line ``**The question.** ...`` or no admonition ``Answer``.
    """
    first = json.loads(notebook.read_text(encoding="utf-8"))["cells"][0]["source"]
    text = first if isinstance(first, str) else "".join(first)
    question, answer = _QUESTION.search(text), _ANSWER.search(text)
    if not text.startswith("# ") or not question or not answer:
        raise NoAnswer(
            f"{notebook.name}: the first cell has to hold '# title', a line '**The question.** ...' and an admonition "
            "Answer, which the page of all answers shows"
        )
    return Opening(text.splitlines()[0][2:].strip(), question[1].strip(), answer[1].strip())


class Answers(SphinxDirective):
    """List the chapters of the book by part, each with its question and its answer."""

    def run(self) -> list[nodes.Node]:
        """Give the nodes of the directive."""
        self.env.note_dependency(str(published.REPOSITORY / "_toc.yml"))
        made: list[nodes.Node] = []
        for caption, names in _parts():
            chapters = [path for path in map(_notebook, names) if path is not None]
            if not chapters:
                continue
            part = nodes.section(ids=[nodes.make_id(caption)])
            part += nodes.title("", caption)
            for path in chapters:
                part += self._chapter(path)
            made.append(part)
        return made

    def _chapter(self, notebook: Path) -> nodes.section:
        self.env.note_dependency(str(notebook))
        try:
            said = opening(notebook)
        except NoAnswer as error:
            raise self.error(str(error)) from error
        number = int(notebook.stem[:2])
        section = nodes.section(ids=[f"chapter-{number}"])
        title = nodes.title("", f"{number} · ")
        link = addnodes.pending_xref(
            "",
            nodes.inline("", said.title),
            refdomain="std",
            reftype="doc",
            refdoc=self.env.docname,
            reftarget="/" + published.docname(notebook),
            refexplicit=True,
            refwarn=True,
        )
        title += link
        section += title
        for text, classes in ((said.question, ["ans-question"]), (said.answer, ["ans-answer"])):
            box = nodes.container(classes=classes)
            self.state.nested_parse(StringList(text.splitlines(), source=str(notebook)), 0, box)
            section += box
        return section


def _parts() -> list[tuple[str, list[str]]]:
    toc = yaml.safe_load((published.REPOSITORY / "_toc.yml").read_text(encoding="utf-8"))
    return [(part["caption"], [entry["file"] for entry in part["chapters"]]) for part in toc["parts"]]


def _notebook(name: str) -> Path | None:
    path = published.REPOSITORY / f"{name}.ipynb"
    return path if path.is_file() else None
