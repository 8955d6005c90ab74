"""What the book adds to Sphinx: published figures and numbers, downloads, formulas, light pages."""

from __future__ import annotations

import shutil
from pathlib import Path

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms import SphinxPostTransform

from rareearths import published
from rareearths.data import DataError
from rareearths.publish import style
from rareearths.site import (
    answers,
    bibliography,
    book,
    catalogue,
    downloads,
    editions,
    evidence,
    explorer,
    glossary,
    lighten,
    mathml,
    matrix,
    methods,
    numbers,
    shown,
    theme,
)

STATIC = Path(__file__).parent / "static"


def _read_published(app: Sphinx) -> None:
    try:
        app.env.rareearths_published = published.read_all(published.REPOSITORY)
        app.env.rareearths_errata = editions.errata(app.env.rareearths_published)
    except (published.DuplicateId, DataError, OSError, ValueError) as error:
        raise ExtensionError(str(error)) from error
    app.env.rareearths_book = book.load(published.REPOSITORY)


def _number_by_chapter(app: Sphinx, env) -> list[str]:
    """Number figures and tables chapter.count, the chapter's number being that of its file, 03_who_mines."""
    for thing in env.rareearths_published.values():
        if thing.kind in ("figure", "table"):
            kinds = env.toc_fignumbers.setdefault(thing.docname, {})
            kinds.setdefault(thing.kind, {})[thing.id] = (thing.chapter, thing.position)
    return []


def _tie_code_to_things(app: Sphinx, doctree: nodes.document) -> None:
    """Give the code of each cell an anchor ``code-<id>`` for what it publishes; drop outputs with nothing to show."""
    for cell in list(
        doctree.findall(lambda node: isinstance(node, nodes.container) and node.get("nb_element") == "cell_code")
    ):
        made = [node["thing"] for node in cell.findall() if isinstance(node, nodes.Element) and "thing" in node]
        code = next(
            (node for node in cell.findall(nodes.container) if node.get("nb_element") == "cell_code_source"), None
        )
        if code is not None:
            code["ids"] += [f"code-{identifier}" for identifier in dict.fromkeys(made)]
        for bundle in list(
            cell.findall(lambda n: isinstance(n, nodes.container) and n.get("nb_element") == "mime_bundle")
        ):
            if any("ev-made-here" in target["classes"] for target in bundle.findall(nodes.inline)):
                bundle.parent.remove(bundle)
        for output in list(
            cell.findall(lambda n: isinstance(n, nodes.container) and n.get("nb_element") == "cell_code_output")
        ):
            if not output.children:
                output.parent.remove(output)
        shown = (evidence.evidence_figure, evidence.evidence_table, explorer.explorer)
        if any(isinstance(node, shown) for node in cell.findall()):
            cell["classes"].append("ev-cell")
        cell["hide_mode"] = "input"
        cell["prompt_show"] = cell["prompt_hide"] = "Code"


class CodeBelowFigure(SphinxPostTransform):
    """Move the folded code of a figure below it, where the figure's own Code link opens it."""

    default_priority = 210  # after MyST-NB has folded it, at 199
    formats = ("html",)

    def run(self, **kwargs) -> None:
        """Run on one page."""
        for cell in self.document.findall(nodes.container):
            if "ev-cell" in cell["classes"] and isinstance(cell.children[0], HideCodeCellNode):
                cell.append(cell.pop(0))


def _write_static(app: Sphinx) -> None:
    folder = Path(app.outdir) / "_static"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "palette.css").write_text(theme.palette_css(), encoding="utf-8")
    for font in style.FONTS.glob("*.woff2"):
        shutil.copyfile(font, folder / font.name)


def setup(app: Sphinx) -> dict:
    """Register all of it."""
    mathml.setup(app)
    html = (evidence.visit_html, None)
    for node, kind in ((evidence.evidence_figure, "figure"), (evidence.evidence_table, "table")):
        app.add_enumerable_node(
            node,
            kind,
            evidence.title_of,
            html=html,
            text=(evidence.visit_text, None),
            latex=(evidence.visit_latex, None),
        )
    other = (explorer.visit_other, None)
    app.add_node(explorer.explorer, html=(explorer.visit_html, None), text=other, latex=other)
    app.add_node(numbers.quoted, html=(numbers.visit_quoted, numbers.depart_quoted), text=_pass, latex=_pass)
    app.add_node(numbers.notes, html=(numbers.visit_notes, None), text=(_skip, None), latex=(_skip, None))
    app.add_node(
        shown.shown, html=(shown.visit_html, None), text=(shown.visit_other, None), latex=(shown.visit_other, None)
    )
    app.add_post_transform(CodeBelowFigure)
    app.add_post_transform(glossary.LinkTerms)
    app.add_role("num", numbers.Quote("number"))
    app.add_role("st", numbers.Quote("statement"))
    app.add_role("policy-file", matrix.PolicyFile())
    app.add_directive("answers", answers.Answers)
    app.add_directive("show", shown.Show)
    app.add_directive("catalogue", catalogue.Catalogue)
    app.add_directive("control-matrix", matrix.ControlMatrix)
    app.add_directive("docstrings", methods.Docstrings)
    app.add_directive("equations", methods.Equations)
    app.add_directive("errata", editions.Errata)
    app.add_directive("edition-changes", editions.EditionChanges)
    app.connect("config-inited", bibliography.write)
    app.connect("builder-inited", _read_published)
    app.connect("builder-inited", _write_static)
    app.connect("builder-inited", downloads.begin)
    app.connect("doctree-read", _tie_code_to_things)
    app.connect("doctree-read", numbers.add_notes)
    app.connect("doctree-read", editions.keep_retracted)
    app.connect("doctree-read", glossary.depend)
    app.connect("env-get-updated", _number_by_chapter, priority=900)
    app.connect("html-page-context", lighten.keep_what_is_used, priority=990)
    app.connect("build-finished", downloads.write_all)
    app.connect("build-finished", catalogue.write_data)
    app.connect("build-finished", matrix.write_files)
    app.connect("build-finished", explorer.write_draws)
    app.config.html_static_path += [str(STATIC)]
    app.add_css_file("palette.css", priority=800)
    app.add_css_file("book.css", priority=801)
    app.add_js_file("book.js", priority=801, loading_method="defer")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def _skip(translator, node) -> None:
    raise nodes.SkipNode


_pass = (lambda translator, node: None, lambda translator, node: None)
