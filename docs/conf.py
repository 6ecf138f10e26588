"""How Sphinx builds these pages: `make docs`, offline, warnings are errors."""

from __future__ import annotations

import sys
from pathlib import Path

from sphinx.application import Sphinx

from synthgan import __version__

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

project = "synthgan"
author = "The synthgan authors"
release = version = __version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc", "myst_parser"]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}  # the latter for the pages that autosummary makes
myst_enable_extensions = ["attrs_inline", "colon_fence"]
myst_heading_anchors = 3
smartquotes = False  # of --option it would make a dash

autosummary_generate = True
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say more: shapes, dtypes and what a value means
numpydoc_show_class_members = False  # the template lists them, with their docstrings
numpydoc_xref_param_type = False
default_role = "py:obj"  # `SynthGAN` in a docstring is a link where the page knows the name, and code where it does not

# Attributes of classes that are public for the rooms of the library, and nothing to a user.
INTERNAL = {"encoder_type", "registry", "validation_name"}

html_theme = "pydata_sphinx_theme"
html_title = "synthgan"
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "show_prev_next": True,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "header_links_before_dropdown": 2,
}
html_static_path = ["_static"]
html_css_files = ["narrow.css"]
# Only the reference has pages below it to show on the left.
html_sidebars = {
    str(page.relative_to(HERE).with_suffix("")): []
    for page in [*HERE.glob("*.md"), *HERE.glob("tutorials/*.md"), *HERE.glob("howto/*.md")]
    if page.stem != "api"
}


def write_cli_reference(app: Sphinx) -> None:
    """Write what docs/cli.md includes, from the command line itself."""
    from cli_reference import reference

    folder = Path(app.srcdir) / "_build"
    folder.mkdir(exist_ok=True)
    (folder / "cli.md").write_text(reference(), encoding="utf-8")


def draw_plots(app: Sphinx) -> None:
    """Draw the plots of benchmarks/results."""
    from plots import write_plots

    write_plots(Path(app.srcdir) / "_generated" / "plots")


def skip_foreign(app: Sphinx, what: str, name: str, obj: object, skip: bool, options: object) -> bool | None:  # noqa: ARG001
    """Leave out what scikit-learn's base classes add, which is documented there, and what is public to us alone."""
    foreign = (getattr(obj, "__module__", None) or "").startswith("sklearn.") or name.endswith("_request")
    return True if foreign or name in INTERNAL else None


def setup(app: Sphinx) -> None:
    """Connect what is made at build time."""
    app.connect("autodoc-skip-member", skip_foreign)
    app.connect("builder-inited", write_cli_reference)
    app.connect("builder-inited", draw_plots)
