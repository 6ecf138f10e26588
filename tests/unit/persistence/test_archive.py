"""Model files: what comes back, what is in them, and what is refused."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import resource
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load as load_tensors
from sklearn.base import clone

from synthgan import SynthGAN, load_dataset
from synthgan.errors import ArchiveError, InputError
from synthgan.persistence import FORMAT, read_archive, write_archive


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "id": [f"person-{k:08x}" for k in rng.integers(2**28, 2**32, 60)],
            "name": rng.choice(["Ä", "b", "ß"], 60),
            "number": np.where(rng.random(60) < 0.2, np.nan, rng.normal(size=60)),
            0: pd.Timestamp("2020-01-01", tz="Europe/Berlin") + pd.to_timedelta(rng.integers(0, 99, 60), unit="h"),
        }
    )


@pytest.fixture(scope="module")
def model(table: pd.DataFrame) -> SynthGAN:
    return SynthGAN(epochs=3, hidden_dim=8, random_state=0).fit(table, target="name")


@pytest.fixture
def path(model: SynthGAN, tmp_path: Path) -> Path:
    model.save(tmp_path / "m.synthgan")
    return tmp_path / "m.synthgan"


def test_a_loaded_model_is_the_same_model(barely: SynthGAN, kinds: pd.DataFrame, tmp_path: Path) -> None:
    barely.save(tmp_path / "m.synthgan")
    loaded = SynthGAN.load(tmp_path / "m.synthgan", device="cpu")
    more: list[dict[str, Any]] = [{}, {"conditions": {"age": (30, 40)}, "n_passes": 2}, {"class_counts": {"red": 200}}]
    for settings in more:
        n = None if "class_counts" in settings else 200
        expected = barely.sample(n, random_state=5, **settings)
        pd.testing.assert_frame_equal(loaded.sample(n, random_state=5, **settings), expected, check_exact=True)
    assert loaded.schema_ == barely.schema_
    assert loaded.target_ == "text"
    assert loaded.seed_ == barely.seed_
    pd.testing.assert_frame_equal(loaded.history_, barely.history_)
    assert loaded.get_params() == {**barely.get_params(), "random_state": None, "device": "cpu"}
    assert {**loaded.info_, "parameters": 0} == {**barely.info_, "parameters": 0}
    assert np.array_equal(loaded.score_samples(kinds), barely.score_samples(kinds))
    assert loaded.feature_names_in_.tolist() == kinds.columns.tolist()


def test_saving_what_was_loaded_gives_the_same_weights_and_state(path: Path, tmp_path: Path) -> None:
    SynthGAN.load(path).save(tmp_path / "again.synthgan")
    with zipfile.ZipFile(path) as first, zipfile.ZipFile(tmp_path / "again.synthgan") as second:
        for name in ("state.json", "arrays.safetensors", "weights.safetensors"):
            assert first.read(name) == second.read(name)


def test_equal_models_are_equal_files(model: SynthGAN, path: Path, tmp_path: Path) -> None:
    model.save(tmp_path / "again.synthgan")
    assert path.read_bytes() == (tmp_path / "again.synthgan").read_bytes()


def test_the_file_is_json_and_safetensors_only(path: Path) -> None:
    with zipfile.ZipFile(path) as file:
        names = sorted(file.namelist())
        assert names == ["arrays.safetensors", "card.md", "manifest.json", "state.json", "weights.safetensors"]
        manifest, state = json.loads(file.read("manifest.json")), json.loads(file.read("state.json"))
        assert load_tensors(file.read("weights.safetensors"))
        assert load_tensors(file.read("arrays.safetensors"))
    assert {"synthgan", "torch", "python", "seed", "parameters", "data", "sha256", "format"} <= set(manifest)
    assert set(state) == {"schema", "encoder", "history"}


def test_no_identifier_and_no_row_is_inside(table: pd.DataFrame, path: Path) -> None:
    content = path.read_bytes()
    for cell in table["id"]:
        assert cell.encode() not in content
        assert cell.removeprefix("person-").encode() not in content
    held = [number for number in table["number"].dropna() if np.float64(number).tobytes() in content]
    # Bounds and the ends of cells are values of the table; most values are in no cell's end.
    assert len(held) < 0.5 * table["number"].notna().sum()


def test_a_planted_number_of_an_id_column_is_not_inside(tmp_path: Path) -> None:
    planted = 8_675_309_123
    ids = np.random.default_rng(0).permutation(np.arange(10**10, 10**10 + 50))
    ids[3] = planted
    SynthGAN(epochs=1, hidden_dim=8, random_state=0).fit(
        pd.DataFrame({"customer_id": ids, "x": np.arange(50) % 5}), schema={"customer_id": "id"}
    ).save(tmp_path / "m.synthgan")
    content = (tmp_path / "m.synthgan").read_bytes()
    assert str(planted).encode() not in content
    assert np.int64(planted).tobytes() not in content
    assert np.float64(planted).tobytes() not in content


def rewritten(path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def test_every_truncation_is_refused(path: Path) -> None:
    whole = path.read_bytes()
    for size in [0, 1, 4, 30, *range(100, len(whole) - 1, len(whole) // 60), len(whole) - 1]:
        path.write_bytes(whole[:size])
        with pytest.raises(ArchiveError):
            SynthGAN.load(path)


def test_no_flipped_bit_is_taken_for_a_model(model: SynthGAN, path: Path) -> None:
    whole = path.read_bytes()
    expected = model.sample(5, random_state=0)
    rng = np.random.default_rng(0)
    # Zip headers hold fields that nobody reads (dates, attributes): a flip there must change nothing.
    places = [*range(80), *rng.integers(80, len(whole) - 300, 80), *rng.integers(len(whole) - 300, len(whole), 120)]
    changed = []
    for place in places:
        flipped = bytearray(whole)
        flipped[place] ^= 1 << rng.integers(8)
        path.write_bytes(bytes(flipped))
        with contextlib.suppress(ArchiveError):
            changed.append(SynthGAN.load(path))
    assert len(changed) < len(places) / 2
    for loaded in changed:
        assert loaded.sample(5, random_state=0).equals(expected)


@pytest.mark.parametrize(
    "member", ["manifest.json", "card.md", "state.json", "arrays.safetensors", "weights.safetensors"]
)
def test_a_changed_member_is_refused_though_the_zip_is_sound(path: Path, member: str) -> None:
    def change(members: dict[str, bytes]) -> None:
        content = bytearray(members[member])
        content[len(content) // 2] ^= 1
        members[member] = bytes(content)

    with pytest.raises(ArchiveError, match=r"damaged" if member == "manifest.json" else member):
        SynthGAN.load(rewritten(path, change))


def test_a_manifest_that_says_something_else_is_refused(path: Path) -> None:
    def change(members: dict[str, bytes]) -> None:
        members["manifest.json"] = members["manifest.json"].replace(b'"seed":0', b'"seed":1')

    with pytest.raises(ArchiveError, match=r"manifest\.json does not match"):
        SynthGAN.load(rewritten(path, change))


def manifest_with(**fields: Any) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        manifest = json.loads(members["manifest.json"]) | fields
        rest = {key: value for key, value in manifest.items() if key != "digest"}
        manifest["digest"] = hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()
        members["manifest.json"] = json.dumps(manifest).encode()

    return change


FOREIGN: list[tuple[Callable[[dict[str, bytes]], None], str]] = [
    (manifest_with(format=2), "upgrade"),
    (manifest_with(format="1"), "upgrade"),
    (manifest_with(kind="other"), "not a synthgan model"),
    (manifest_with(sha256={}), "checksum"),
    (manifest_with(sha256=None), "checksum"),
    (manifest_with(generator={"hidden_dim": 9}), "weight"),
    (manifest_with(generator={"color": 1}), "save"),
    (manifest_with(generator=3), "save"),
    (manifest_with(data={}), "save"),
    (manifest_with(seed="x"), "save"),
    (manifest_with(parameters={"colour": 1}), "colour"),
    (manifest_with(parameters={"select": 10**6}), "no model has"),
    (manifest_with(parameters=3), "save"),
    (lambda members: members.update({"manifest.json": b"[]"}), "not a synthgan model"),
    (lambda members: members.update({"manifest.json": b"{"}), "damaged"),
    (lambda members: members.update({"manifest.json": b"[" * 100_000}), "damaged"),
    (lambda members: members.update({"manifest.json": b"\xff\xfe"}), "damaged"),
    (lambda members: members.update({"more.txt": b"hello"}), "not a synthgan model"),
    (lambda members: members.pop("state.json"), "not a synthgan model"),
]


@pytest.mark.parametrize(("change", "word"), FOREIGN)
def test_what_synthgan_does_not_write_is_refused(
    path: Path, change: Callable[[dict[str, bytes]], None], word: str
) -> None:
    with pytest.raises(ArchiveError, match=word):
        SynthGAN.load(rewritten(path, change))


def test_compressed_members_are_refused(path: Path) -> None:
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    with pytest.raises(ArchiveError, match="compressed"):
        SynthGAN.load(path)


@pytest.mark.parametrize("kind", ["text", "empty zip", "pickle", "folder", "nothing"])
def test_what_is_no_model_file_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "m.synthgan"
    if kind == "text":
        path.write_text("a,b\n1,2\n")
    elif kind == "empty zip":
        zipfile.ZipFile(path, "w").close()
    elif kind == "pickle":
        torch.save({"a": torch.zeros(3)}, path)
    elif kind == "folder":
        path.mkdir()
    with pytest.raises(ArchiveError, match=r"m\.synthgan"):
        SynthGAN.load(path)


def tampered(path: Path, change: Callable[[Any, dict[str, torch.Tensor]], None]) -> Path:
    """Write a file with sound checksums around changed content."""
    manifest, state, weights = read_archive(path)
    change(state, weights)
    fields = {key: value for key, value in manifest.items() if key not in ("kind", "format", "sha256", "digest")}
    write_archive(path, fields, state, weights)
    return path


def set_weight(name: str, value: float) -> Callable[[Any, dict[str, torch.Tensor]], None]:
    def change(_: Any, weights: dict[str, torch.Tensor]) -> None:
        weights[name].view(-1)[0] = value

    return change


CONTENT: list[tuple[Callable[[Any, dict[str, torch.Tensor]], Any], str]] = [
    (set_weight("members.0.head.bias", float("nan")), "not finite"),
    (set_weight("members.0.first.weight", float("inf")), "not finite"),
    (lambda _, weights: weights.pop("members.0.head.bias"), "head.bias"),
    (lambda _, weights: weights.update({"more": torch.zeros(2)}), "more"),
    (lambda _, weights: weights.update({"members.0.head.bias": torch.zeros(2)}), "head.bias"),
    (
        lambda _, weights: weights.update({"members.0.head.bias": weights["members.0.head.bias"].to(torch.int64)}),
        "head.bias",
    ),
    (lambda state, _: state.pop("schema"), "schema"),
    (lambda state, _: state["schema"]["columns"].pop(), "fit together"),
    (lambda state, _: state["schema"]["columns"][1].update({"kind": "numeric"}), "fit together"),
    (lambda state, _: state["encoder"]["columns"].pop(), "fit together"),
    (lambda state, _: state["encoder"]["columns"][0].pop("levels"), "levels"),
    (lambda state, _: state["encoder"]["columns"][0].update({"code": np.zeros(3)}), "fit together"),
    (lambda state, _: state["encoder"]["columns"][1].update({"low": np.zeros(2)}), "fit together"),
    (lambda state, _: state["encoder"]["columns"][1]["low"].fill(np.nan), "fit together"),
]


@pytest.mark.parametrize(("change", "word"), CONTENT)
def test_members_that_do_not_fit_together_are_refused(
    path: Path, change: Callable[[Any, dict[str, torch.Tensor]], Any], word: str
) -> None:
    with pytest.raises(ArchiveError, match=word):
        SynthGAN.load(tampered(path, change))


def test_nothing_is_left_where_nothing_can_be_written(model: SynthGAN, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        model.save(tmp_path / "nowhere" / "m.synthgan")
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(InputError):
        model.save(folder)
    assert [item.name for item in tmp_path.iterdir()] == ["folder"]
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_leave_to_write(model: SynthGAN, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InputError):
        model.save(tmp_path / "m.synthgan")
    tmp_path.chmod(0o700)
    assert list(tmp_path.iterdir()) == []


def test_an_older_file_is_replaced_whole(model: SynthGAN, path: Path) -> None:
    path.write_bytes(b"old")
    model.save(path)
    assert SynthGAN.load(path).sample(3, random_state=0).equals(model.sample(3, random_state=0))


def test_models_of_settings_json_cannot_say(table: pd.DataFrame, tmp_path: Path) -> None:
    limits = {"epochs": np.int64(1), "max_seconds": np.float64(60)}
    model = SynthGAN(**limits, hidden_dim=8, random_state=np.random.default_rng(0))
    model.fit(table).save(tmp_path / "m.synthgan")
    assert SynthGAN.load(tmp_path / "m.synthgan").get_params()["epochs"] == 1


def test_a_model_without_a_network(tmp_path: Path) -> None:
    model = SynthGAN(random_state=0).fit(pd.DataFrame({"id": [f"k{i}" for i in range(30)], "one": 1}))
    model.save(tmp_path / "m.synthgan")
    assert SynthGAN.load(tmp_path / "m.synthgan").sample(40, random_state=0).equals(model.sample(40, random_state=0))


def test_joblib_and_clone(model: SynthGAN, tmp_path: Path) -> None:
    joblib.dump(model, tmp_path / "m.joblib")
    assert joblib.load(tmp_path / "m.joblib").sample(20, random_state=0).equals(model.sample(20, random_state=0))
    copy = clone(model).set_params(epochs=7)
    assert not hasattr(copy, "model_")
    assert copy.get_params() == {**model.get_params(), "epochs": 7}


def test_the_schema_in_the_file_is_the_schema(model: SynthGAN, path: Path) -> None:
    loaded = SynthGAN.load(path)
    assert [dataclasses.asdict(column) for column in loaded.schema_] == [dataclasses.asdict(c) for c in model.schema_]
    assert loaded.schema_.names == ["id", "name", "number", 0]


OLD_FILES, OLD_CRITICS = (
    sorted((Path(__file__).parents[2] / "data").glob(f"{table}-format-*.synthgan")) for table in ("penguins", "adult")
)


@pytest.mark.parametrize("files", [OLD_FILES, OLD_CRITICS])
def test_there_is_a_file_of_each_format_version(files: list[Path]) -> None:
    assert [path.stem.rsplit("-", 1)[1] for path in files] == [str(k) for k in range(1, FORMAT + 1)]


@pytest.mark.parametrize("old", OLD_FILES, ids=lambda path: path.stem)
def test_files_of_older_versions_load(old: Path) -> None:
    table = load_dataset("penguins")
    loaded = SynthGAN.load(old, device="cpu")
    rows = loaded.sample(200, conditions={"species": "Gentoo"}, random_state=0)
    assert loaded.target_ == "species"
    assert rows.dtypes.equals(table.dtypes)
    assert set(rows["species"]) == {"Gentoo"}
    real = table[table["species"] == "Gentoo"]
    assert rows["body_mass_g"].mean() == pytest.approx(real["body_mass_g"].mean(), rel=0.3)
    with zipfile.ZipFile(old) as file:
        card = file.read("card.md").decode()
    assert "# SynthGAN model" in card
    assert "344 rows" in card
    assert "| flipper\\_length\\_mm | numeric |" in card


@pytest.mark.parametrize("old", OLD_CRITICS, ids=lambda path: path.stem)
def test_critics_of_older_versions_still_choose(old: Path) -> None:
    loaded = SynthGAN.load(old, device="cpu")
    first, chosen = (loaded.sample(400, random_state=0, select=select) for select in (1, 4))
    assert not first.equals(chosen)
    assert set(chosen["income"]) <= {"<=50K", ">50K"}
    assert loaded.model_.generator.critic.n_groups == 1  # they count rows without the target, or not at all


def test_the_card_is_harmless(tmp_path: Path) -> None:
    names = ["<script>x</script>", "a|b", "[link](http://x)", "line\nbreak", "`code`"]
    table = pd.DataFrame({name: np.arange(30) % 3 for name in names})
    SynthGAN(epochs=1, hidden_dim=4, random_state=0).fit(table, target=names[0]).save(tmp_path / "m.synthgan")
    with zipfile.ZipFile(tmp_path / "m.synthgan") as file:
        card = file.read("card.md").decode()
    assert "<script>" not in card
    assert "](http" not in card
    rows = [line for line in card.splitlines() if line.startswith("| ") and "numeric" in line]
    assert len(rows) == len(names)
    assert all(line.replace("\\|", "").count("|") == 5 for line in rows)


HUGE: list[tuple[Callable[[Any, Any, dict[str, torch.Tensor]], Any], str]] = [
    (lambda manifest, *_: manifest["generator"].update(hidden_dim=10**9), "hidden_dim"),
    (lambda manifest, *_: manifest["generator"].update(n_layers=10**6), "n_layers"),
    (lambda manifest, *_: manifest["generator"].update(noise_dim=-1), "noise_dim"),
    *[
        (lambda manifest, *_, value=value: manifest["generator"].update(n_members=value), "n_members|weight")
        for value in (0, True, 1.0, 3, 65, 10**9)
    ],
    (lambda _, state, __: state["encoder"]["columns"][0]["code"].__setitem__(-1, 10**12), "gaps"),
    (lambda _, state, __: state["encoder"]["makers"][0].update(width=10**9), "longer"),
    (lambda _, state, __: state["encoder"]["makers"][0].update(slots=[""], style="pattern"), "style"),
    (lambda _, state, __: state["schema"]["columns"][1].update(dtype="U99999999"), "no dtype"),
    (lambda _, state, __: state["schema"]["columns"][3].update(dtype="datetime64[ns, Mars/Olympus]"), "fit together"),
    (lambda _, __, weights: weights.update({"members.0.head.bias": torch.zeros(1)}), "head.bias"),
]


@pytest.mark.parametrize(("change", "word"), HUGE)
def test_sizes_are_checked_before_anything_is_made(path: Path, change: Callable[..., Any], word: str) -> None:
    manifest, state, weights = read_archive(path)
    change(manifest, state, weights)
    fields = {key: value for key, value in manifest.items() if key not in ("kind", "format", "sha256", "digest")}
    write_archive(path, fields, state, weights)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ArchiveError, match=word):
        SynthGAN.load(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes, on Linux


def test_a_zip_bomb_and_names_that_lead_elsewhere_are_refused(path: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    for extra in ({"../evil": b""}, {"/etc/evil": b""}, {"manifest.json": b"{}"}):
        with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as file:
            warnings.simplefilter("ignore")  # of two members of one name
            for name, content in [*members.items(), *extra.items()]:
                file.writestr(name, content)
        with pytest.raises(ArchiveError, match="not a synthgan model"):
            SynthGAN.load(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name in members:
            file.writestr(name, b"\0" * 50_000_000)
    assert path.stat().st_size < 1_000_000
    with pytest.raises(ArchiveError, match="compressed or oversized"):
        SynthGAN.load(path)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
