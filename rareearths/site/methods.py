"""The page on methods, from the library itself: what docstrings say of rules and formulas, and the model's equations.

``{docstrings} rareearths.indicators`` writes the public functions of a module (with ``:about:`` what the module says of
itself instead), ``{equations} 12`` the displayed formulas of a chapter, each with the words before it.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

from rareearths import published

_PART = re.compile(r"^(Formula|Args|Returns|Raises):\n((?:    .*\n?|\n)+)", re.MULTILINE)


def parts(function) -> dict[str, str]:
    """Split a docstring: what it says ("") and its parts ``Formula``, ``Args``, ``Returns`` and ``Raises``, as Markdown."""
    text = re.sub(r":\w+:`([^`]+)`", r"`\1`", inspect.getdoc(function) or "").replace("``", "`")
    text = re.sub(r"\b(NaN|None)\b", "no value", text)
    found = {name: inspect.cleandoc(" \n" + body) for name, body in _PART.findall(text + "\n")}
    return {"": re.sub(r"^Give ", "", _PART.sub("", text + "\n")).strip(), **found}


def functions(module) -> dict[str, object]:
    """Find the public functions that a module defines, in its order."""
    return {
        name: thing
        for name, thing in vars(module).items()
        if inspect.isfunction(thing) and thing.__module__ == module.__name__ and not name.startswith("_")
    }


def markdown(name: str, function, brief: bool = False) -> str:
    """Write a function for readers: what it gives, its formula, what goes in and comes out unless brief, its name."""
    said = parts(function)
    if brief:
        said = {part: said[part] for part in ("", "Formula") if part in said}
    first, _, rest = said[""].partition("\n\n")
    first = " ".join(first.split())
    text = f"**{first[:1].upper()}{first[1:]}**\n\n{rest}\n\n"
    if "Formula" in said:
        text += f"$$\n{said['Formula']}\n$$\n\n"
    if "Args" in said:
        each = re.sub(r"\n\s+", " ", said["Args"])
        text += re.sub(r"^(\w+(?:, \w+)*): ", r"- *\1*: ", each, flags=re.MULTILINE) + "\n\n"
    if "Returns" in said:
        text += f"Comes out: {' '.join(said['Returns'].split())}\n\n"
    return text + f"In the library: `{function.__module__}.{name}`.\n"


def equations(notebook) -> list[tuple[str, str]]:
    """List the displayed formulas of a chapter, each with the paragraph that stands before it (empty if none does)."""
    found = []
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "markdown":
            text = "".join(cell["source"])
            *pieces, _ = re.split(r"\$\$(.+?)\$\$", text, flags=re.DOTALL)
            for words, formula in zip(pieces[::2], pieces[1::2], strict=True):
                before = words.strip().split("\n\n")[-1]
                before = "" if before.startswith(("#", "`")) else re.sub(r"(?<!!)\[([^\]]+)\]\([^)]*\)", r"\1", before)
                found.append((before, formula.strip()))
    return found


class _FromMarkdown(SphinxDirective):
    def _parsed(self, text: str, source: str, **attributes) -> nodes.container:
        box = nodes.container(**attributes)
        self.state.nested_parse(StringList(text.splitlines(), source=source), 0, box)
        return box


class Docstrings(_FromMarkdown):
    """Write the public functions of a module of the library, or those named."""

    required_arguments = 1
    option_spec = {"only": directives.unchanged, "brief": directives.flag, "about": directives.flag}

    def run(self) -> list[nodes.Node]:
        """Give the nodes of the directive."""
        module = importlib.import_module(self.arguments[0])
        self.env.note_dependency(module.__file__)
        if "about" in self.options:
            return self._parsed(parts(module)[""], module.__file__).children
        known = functions(module)
        try:
            chosen = {name: known[name] for name in self.options.get("only", "").split() or known}
        except KeyError as error:
            raise self.error(f"{self.arguments[0]} has no public function {error}") from None
        short = module.__name__.rsplit(".", 1)[-1]
        return [
            self._parsed(
                markdown(name, function, brief="brief" in self.options),
                module.__file__,
                ids=[nodes.make_id(f"{short}-{name}")],
                classes=["met-item"],
            )
            for name, function in chosen.items()
        ]


class Equations(_FromMarkdown):
    """Write the displayed formulas of the chapter with a number, as a section; nothing where the book has no such chapter."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Give the nodes of the directive."""
        self.env.note_dependency(str(published.REPOSITORY / "_toc.yml"))
        notebook = next((path for path in published.chapters() if path.stem.startswith(f"{self.arguments[0]}_")), None)
        if notebook is None:
            return []
        self.env.note_dependency(str(notebook))
        text = f"The chapter [](/{published.docname(notebook)}.ipynb) explains them and tests them; these are its words.\n\n"
        text += "\n\n".join(f"{words}\n\n$$\n{formula}\n$$" for words, formula in equations(notebook))
        section = nodes.section(ids=["equations"], names=["equations"])
        section += nodes.title("", "The equations of the supply-shock model")
        section += self._parsed(text, str(notebook)).children
        return [section]
