"""``synthgan augment``: a table with generated rows after the real ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synthgan_cli.console import Notes, showing_warnings, waiting
from synthgan_cli.options import Device, Quiet, Seed, Table
from synthgan_cli.tables import read_with_target

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["augment"]


def augment(
    table: Table,
    target: Annotated[str, typer.Option("--target", "-t", help="The column of the classes, or a number.")],
    balance: Annotated[
        bool, typer.Option("--balance", help="Every class up to the largest; of a number, its rare ranges (default).")
    ] = False,
    ratio: Annotated[
        float | None,
        typer.Option("--ratio", min=0, help="So many generated rows per real one, in the same class shares."),
    ] = None,
    counts: Annotated[
        str | None, typer.Option("--counts", help='Exact numbers of generated rows by class: "a=100,b=100".')
    ] = None,
    labelled: Annotated[
        float | None,
        typer.Option(
            "--labelled",
            min=0,
            help="So many generated rows per real one, labelled by a committee of classifiers; adds a column weight.",
        ),
    ] = None,
    marker: Annotated[
        str, typer.Option("--marker", help="The column that marks generated rows; empty for none.")
    ] = "synthetic",
    metadata: Annotated[
        bool, typer.Option("--metadata", help="Mark generated rows in the Parquet file's metadata, not in a column.")
    ] = False,
    out: Annotated[str, typer.Option("--out", "-o", help="Where to write the rows: a file, or - for CSV.")] = "-",
    device: Device = "auto",
    seed: Seed = 0,
    quiet: Quiet = False,
) -> None:
    """Write a table with generated rows after the real ones, which stay as they are.

    Whether they help is another question: `synthgan gain` measures it.
    """
    from synthgan import SynthGAN
    from synthgan.augmentation import augment as augmented
    from synthgan.io import check_writable, write_table

    how = {"--balance": balance or None, "--ratio": ratio, "--counts": counts, "--labelled": labelled}
    chosen = [option for option, value in how.items() if value is not None]
    if len(chosen) > 1:
        raise typer.BadParameter(f"{' and '.join(chosen)} exclude each other", param_hint=chosen[1])
    if metadata and not out.endswith(".parquet"):
        raise typer.BadParameter(
            "only a .parquet file has metadata; write one, or leave the column", param_hint="--metadata"
        )
    if out != "-":
        check_writable(out)
    notes = Notes(quiet)
    frame = read_with_target(table, target)
    strategy, amount = _strategy(ratio, labelled, None if counts is None else _counts(counts, frame[target]))
    with showing_warnings(), waiting(notes, "fitting and generating"):
        result = augmented(
            frame,
            target,
            strategy=strategy,
            ratio=amount,
            marker=None if metadata or not marker else marker,
            generator=SynthGAN(device=device),
            random_state=seed,
        )
    if metadata:
        _write_marked(result, out, len(frame))
    else:
        write_table(result, out)
    notes.say(
        f"{len(frame):,} real and {len(result) - len(frame):,} generated rows; next: synthgan gain tells if they help"
    )


def _strategy(ratio: float | None, labelled: float | None, counts: dict[Any, int] | None) -> tuple[Any, float]:
    """Return what the library calls strategy and ratio, of options that exclude each other."""
    if labelled is not None:
        return "labelled", labelled
    if ratio is not None:
        return "proportional", ratio
    return "balance" if counts is None else counts, 1.0


def _counts(text: str, column: pd.Series[Any]) -> dict[Any, int]:
    """Read ``a=100,b=100`` for the classes that the column has."""
    import pandas as pd

    from synthgan.schema import infer_schema
    from synthgan_cli.where import parse_class_counts

    frame = pd.DataFrame({"class": column.dropna()})
    return dict(parse_class_counts(text, infer_schema(frame, discrete_columns=["class"])["class"]))


def _write_marked(frame: pd.DataFrame, path: str, n_real: int) -> None:
    """Write Parquet whose metadata say from which row on the rows are generated."""
    import pyarrow as pa
    import pyarrow.parquet

    from synthgan.io import atomic_write

    table = pa.Table.from_pandas(frame, preserve_index=False)
    mark = {"real_rows": n_real, "synthetic_rows": len(frame) - n_real, "first_synthetic_row": n_real}
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), b"synthgan": json.dumps(mark).encode()})
    with atomic_write(path) as file:
        pyarrow.parquet.write_table(table, file)
