"""The `synthgan` command and its subcommands."""

from __future__ import annotations

import logging
import os
from typing import Annotated

import typer

from synthgan_cli.augment import augment
from synthgan_cli.demo import demo
from synthgan_cli.evaluate import evaluate
from synthgan_cli.exits import EPILOG, with_exit_codes
from synthgan_cli.fit import fit
from synthgan_cli.gain import gain
from synthgan_cli.impute import impute
from synthgan_cli.inspect import inspect
from synthgan_cli.sample import sample
from synthgan_cli.signals import die_tidily
from synthgan_cli.tune import tune

__all__ = ["app", "main"]

app = typer.Typer(
    name="synthgan",
    help="Fit a conditional GAN on a table, sample rows of the same kinds, and see how good they are.",
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (fit, sample, evaluate, inspect, impute, augment, gain, tune, demo):
    app.command()(with_exit_codes(command))


def _print_version(wanted: bool) -> None:
    if wanted:
        import importlib.metadata

        typer.echo(f"synthgan {importlib.metadata.version('synthgan')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; does not return."""
    # OpenMP's threads spin while they wait for each other; on a machine that has other work that makes training several
    # times slower. Asleep they cost nothing. This must be said before torch is imported, which the commands do.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # What the library logs is said by the commands, or by nobody: see console.Notes.
    logging.getLogger("synthgan").addHandler(logging.NullHandler())
    die_tidily()
    app(prog_name="synthgan")
