"""The reference of the command line, read off the command line itself."""

from __future__ import annotations

from typing import Any

import typer.main
from synthgan_cli.app import app

__all__ = ["reference"]


def reference() -> str:
    """Return a section of Markdown for each command: usage, help, and a table of its arguments and options."""
    program: Any = typer.main.get_command(app)
    parent = program.make_context("synthgan", [], resilient_parsing=True)
    sections = [section(program.get_command(parent, name), parent) for name in program.list_commands(parent)]
    return "\n".join([*sections, "## Exit codes", "", program.epilog, ""])


def section(command: Any, parent: Any) -> str:
    """Return the section of one command."""
    context = command.make_context(command.name, [], parent=parent, resilient_parsing=True)
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    records = [param.get_help_record(context) for param in command.get_params(context)]
    rows = [f"| `{cell(spelling)}` | {escaped(cell(help_))} |" for spelling, help_ in filter(None, records)]
    head = [f"## synthgan {command.name}", "", "```text", usage, "```", "", paragraphs(command.help), ""]
    return "\n".join([*head, "| argument or option | |", "| --- | --- |", *rows, ""])


def paragraphs(help_: str) -> str:
    """Return a docstring with its line breaks, where it is a list of indented lines, kept."""
    return "\n".join(line.strip() for line in help_.replace("\b", "").splitlines())


def cell(text: str) -> str:
    """Return a text that does not break its table."""
    return " ".join(text.split()).replace("|", "\\|")


def escaped(text: str) -> str:
    """Return a text outside of code whose angle brackets are not taken for tags."""
    return text.replace("<", "&lt;")
