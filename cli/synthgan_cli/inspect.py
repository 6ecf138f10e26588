"""``synthgan inspect``: what a table's columns are taken for, or what is in a model file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synthgan_cli.console import new_table, print_table
from synthgan_cli.options import Discrete

if TYPE_CHECKING:
    import pandas as pd

    from synthgan.schema import ColumnSpec, Schema

__all__ = ["inspect"]


def inspect(
    file: Annotated[str, typer.Argument(help="A table (CSV, Parquet, ..., - for CSV on stdin) or a .synthgan model.")],
    write_to: Annotated[
        Path | None,
        typer.Option(
            "--write-schema", help="Write the schema to a .toml or .json file, to be edited and passed to fit."
        ),
    ] = None,
    discrete: Discrete = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON in place of a table; of a model all it holds but the weights.")
    ] = False,
) -> None:
    """Show the columns of a table with the reason for each guess, or what a model file holds."""
    import json
    import zipfile

    from synthgan.io import read_table
    from synthgan.schema import infer_schema, write_schema

    info: dict[str, object] = {}
    inside: dict[str, Any] = {}
    formulas: tuple[str, ...] = ()
    exclusions: tuple[str, ...] = ()
    frame = None
    if file.lower().endswith(".synthgan") or (Path(file).is_file() and zipfile.is_zipfile(file)):
        from synthgan import load

        model = load(file, device="cpu")
        schema, info, inside = model.schema_, dict(model.info_), _inside(file)
        formulas, exclusions = (getattr(model, name, ()) for name in ("formulas_", "exclusions_"))
    else:
        frame = read_table(file)
        schema = infer_schema(frame, discrete_columns=discrete)
        info = {"rows": len(frame), "columns": len(schema)}
    if as_json:
        everything = {"info": info, "schema": schema.to_dict(), **inside}
        typer.echo(json.dumps(everything, indent=2, ensure_ascii=False, default=_as_list))
    else:
        _show(info, schema, frame)
        for title, rules in (("every row keeps to", formulas), ("never together", exclusions)):
            if rules:
                kept = new_table(title)
                for rule in rules:
                    kept.add_row(rule)
                print_table(kept)
        if inside:
            _show_inside(inside)
    if write_to is not None:
        write_schema(schema, write_to)


def _show(info: dict[str, object], schema: Schema, frame: pd.DataFrame | None) -> None:
    facts = new_table("", "")
    facts.show_header = False
    for name, value in info.items():
        if value is None:
            continue
        facts.add_row(name.replace("_", " "), _fact(value))
    print_table(facts)
    columns = new_table("column", "kind", "dtype", "missing", "values", "why", numbers=("missing",))
    for spec in schema:
        if frame is None:
            missing = "some" if spec.missing else ""
        else:
            share = float(frame[spec.name].isna().mean())
            missing = f"{share:.1%}" if share else ""
        columns.add_row(str(spec.name), str(spec.kind), spec.dtype, missing, _values(spec), spec.reason)
    print_table(columns)


def _inside(file: str) -> dict[str, Any]:
    """Return all that a model file holds but the values of the weights."""
    from synthgan.persistence import read_archive

    manifest, state, weights = read_archive(file)
    shapes = {name: [str(weight.dtype).removeprefix("torch."), *weight.shape] for name, weight in weights.items()}
    return {"manifest": manifest, "encoder": state["encoder"], "history": state["history"], "weights": shapes}


def _show_inside(inside: dict[str, Any]) -> None:
    from synthgan.persistence import MEMBERS

    members = new_table("member", "holds", "sha256", title="in the file")
    for name, what in MEMBERS.items():
        members.add_row(name, what, inside["manifest"]["sha256"][name])
    members.add_row("manifest.json", "versions, settings, checksums", inside["manifest"]["digest"])
    print_table(members)
    weights = new_table("weight", "dtype", "shape")
    for name, (dtype, *shape) in inside["weights"].items():
        weights.add_row(name, dtype, " x ".join(map(str, shape)))
    print_table(weights)


def _as_list(value: Any) -> Any:
    return value.tolist()


def _fact(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={item}" for key, item in value.items() if item is not None)
    return f"{value:,}" if isinstance(value, int) else str(value)


def _values(spec: ColumnSpec, limit: int = 4) -> str:
    """Return the range or the first levels of a column."""
    if spec.low is not None:
        return ", ".join([f"{spec.low} .. {spec.high}", *(spec.marks or ())])
    levels = [str(level) if len(str(level)) <= 20 else str(level)[:19] + "…" for level in (spec.levels or ())[:limit]]
    more = len(spec.levels or ()) - len(levels)
    return (" < " if spec.ordered else ", ").join(levels) + (f", +{more:,}" if more > 0 else "")
