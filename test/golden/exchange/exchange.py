"""Features as Python tools save them, for packages/datasets/src/exchange.

    python test/golden/exchange/exchange.py     (numpy, pyarrow, pandas, polars, datasets, safetensors, torch)

Writes files/ and exchange.json. Every file holds the same three utterances (small whole numbers, which every type can
hold), or is one that must be refused; exchange.json says which, and what the readers must be told.
"""

import json
import pickle
import shutil
from pathlib import Path

import datasets
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import torch
from safetensors.torch import save_file

HERE = Path(__file__).parent
FILES = HERE / "files"
IDS = ["u0", "u1", "u2"]
STEPS = [3, 1, 5]
DIM = 4
rng = np.random.default_rng(7)
ROWS = [rng.integers(0, 100, (n, DIM)).astype("f4") for n in STEPS]
VECTORS = [row[0] for row in ROWS]
CASES = []


def case(path, of="steps", **options):
    """One file or folder: what it holds (steps, vectors, or null with the beginning of the refusal), and the options."""
    CASES.append({"path": path, "of": of, **options})


def npy_folder(name, convert, of="steps", **options):
    folder = FILES / name
    folder.mkdir()
    for id, row in zip(IDS, ROWS):
        np.save(folder / f"{id}.npy", convert(row))
    case(name, of, **options)


def write_npy():
    for dtype in ["<f2", "<f4", "<f8", ">f4", ">f8", "<i2", "<i8", "u1", "<u4", ">u2"]:
        npy_folder("npy-" + dtype.replace("<", "").replace(">", "big-"), lambda row: row.astype(dtype))
    npy_folder("npy-fortran", np.asfortranarray)
    npy_folder("npy-3d", lambda row: np.asfortranarray(row[None]))
    npy_folder("npy-transposed", lambda row: row.T, transpose=True)
    npy_folder("npy-layers", lambda row: np.stack([row * 0, row * 0 + 1, row]), layer=-1)
    npy_folder("npy-vector", lambda row: row[0], of="vectors")
    npy_folder("npy-vector-of-one", lambda row: row[:1].astype("f8"), of="vectors")
    npy_folder("npy-flat", lambda row: row.ravel(), dim=DIM)
    npy_folder("npy-objects", lambda row: np.array({"features": row}, dtype=object), of=None, error="it holds pickled Python objects")
    npy_folder("npy-complex", lambda row: row.astype("c8"), of=None, error="its values are of type '<c8'")
    record = np.dtype([("a", "f4"), ("b", "i4")])
    npy_folder("npy-records", lambda row: np.zeros(3, record), of=None, error="it holds records of several fields")
    npy_folder("npy-text", lambda row: np.array(["a", "b"]), of=None, error="it holds text, expected numbers")
    npy_folder("npy-scalar", lambda row: row[0, 0], of=None, error="it is a single number")
    npy_folder("npy-4d", lambda row: np.zeros((2, 3, 4, 5), "f4"), of=None, error="its shape is [2, 3, 4, 5]")


def write_npz():
    by_id = dict(zip(IDS, ROWS))
    np.savez(FILES / "stored.npz", **by_id)
    np.savez_compressed(FILES / "deflated.npz", **by_id)
    case("stored.npz")
    case("deflated.npz")
    padded = np.zeros((3, max(STEPS), DIM), "f4")
    for i, row in enumerate(ROWS):
        padded[i, : len(row)] = row
    np.savez_compressed(FILES / "padded.npz", ids=np.array(IDS), features=padded, lengths=np.array(STEPS))
    case("padded.npz")
    np.savez(FILES / "vectors.npz", names=np.array([i.encode() for i in IDS]), x=np.stack(VECTORS).astype(">f8"))
    case("vectors.npz", "vectors")
    np.savez(FILES / "named.npz", utt=np.array(IDS), a=np.zeros(3), b=np.stack(VECTORS))
    case("named.npz", "vectors", id="utt", column="b")
    np.savez(FILES / "dictionary.npz", data=np.array(by_id, dtype=object))
    case("dictionary.npz", None, error="it holds pickled Python objects")
    folder = FILES / "npz-folder"
    folder.mkdir()
    for id, row in zip(IDS, ROWS):
        np.savez(folder / f"{id}.npz", wavlm=row, other=row * 0)
    case("npz-folder", column="wavlm")


def write_safetensors():
    for name, dtype in [("f32", torch.float32), ("f16", torch.float16), ("bf16", torch.bfloat16), ("f64", torch.float64), ("i64", torch.int64)]:
        save_file({id: torch.tensor(row).to(dtype) for id, row in zip(IDS, ROWS)}, FILES / f"{name}.safetensors")
        case(f"{name}.safetensors")
    folder = FILES / "safetensors-folder"
    folder.mkdir()
    for id, row in zip(IDS, ROWS):
        save_file({"hidden": torch.tensor(row[None])}, folder / f"{id}.safetensors")
    case("safetensors-folder")


def lists(rows):
    return [row.tolist() for row in rows]


def write_tables():
    step = pa.list_(pa.float32(), DIM)
    nested = pa.table({"utterance_id": IDS, "n": STEPS, "features": pa.array(lists(ROWS), pa.list_(pa.list_(pa.float64())))})
    fixed = pa.table({"id": IDS, "features": pa.array(lists(ROWS), pa.list_(pa.list_(pa.float16(), DIM)))})
    large = pa.table({"id": pa.array(IDS, pa.large_string()), "x": pa.array(lists(ROWS), pa.large_list(step))})
    flat = pa.table({"id": IDS, "length": STEPS, "features": pa.array([r.ravel().tolist() for r in ROWS], pa.list_(pa.float32()))})
    vector = pa.table({"file": [f"clips/{i}.wav" for i in IDS], "features": pa.array(lists(VECTORS), step)})
    whole = pa.table({"id": pa.array(IDS).dictionary_encode(), "features": pa.array(lists(VECTORS), pa.list_(pa.int32()))})
    for name, table, of in [("nested", nested, "steps"), ("fixed", fixed, "steps"), ("large", large, "steps"), ("flat", flat, "steps"), ("vector", vector, "vectors"), ("whole", whole, "vectors")]:
        pq.write_table(table, FILES / f"{name}.parquet", compression="zstd", row_group_size=2)
        options = {"length": "length"} if name == "flat" else {}
        case(f"{name}.parquet", of, **options)
        feather.write_feather(table, FILES / f"{name}.feather", compression="uncompressed", chunksize=2)
        case(f"{name}.feather", of, **options)
    feather.write_feather(nested, FILES / "lz4.feather")
    case("lz4.feather")
    feather.write_feather(nested, FILES / "zstd.feather", compression="zstd")
    case("zstd.feather", zstd=True)
    frame = pd.DataFrame({"name": IDS, "features": [list(map(list, row)) for row in ROWS]})
    frame.to_parquet(FILES / "pandas.parquet")
    frame.to_feather(FILES / "pandas.feather")
    case("pandas.parquet")
    case("pandas.feather")
    frame = pl.DataFrame({"id": IDS, "features": lists(ROWS)})
    frame.write_parquet(FILES / "polars.parquet")
    frame.write_ipc(FILES / "polars.arrow")
    case("polars.parquet")
    case("polars.arrow")
    data = datasets.Dataset.from_dict({"id": IDS, "features": ROWS})
    data.to_parquet(FILES / "hugging-face.parquet")
    data.save_to_disk(HERE / "saved")
    shutil.move(next((HERE / "saved").glob("*.arrow")), FILES / "hugging-face.arrow")
    shutil.rmtree(HERE / "saved")
    case("hugging-face.parquet")
    case("hugging-face.arrow")
    ragged = pa.table({"id": IDS, "features": [[[1.0, 2.0], [3.0]]] * 3})
    pq.write_table(ragged, FILES / "ragged.parquet")
    case("ragged.parquet", None, error="step 1 has 1 values, and the first one 2")
    nulls = pa.table({"id": IDS, "features": [[[1.0, None]]] * 3})
    pq.write_table(nulls, FILES / "nulls.parquet")
    case("nulls.parquet", None, error="it holds a null")
    pq.write_table(pa.table({"who": IDS, "what": [1.0] * 3}), FILES / "neither.parquet")
    case("neither.parquet", None, error="it has no column of ids")
    two = pa.table({"id": IDS, "a": lists(VECTORS), "b": lists(VECTORS)})
    pq.write_table(two, FILES / "two.parquet")
    case("two.parquet", None, error="it has several columns of lists: choose one with --column")
    case("two.parquet", "vectors", column="b")


def write_others():
    (FILES / "pickles").mkdir()
    (FILES / "pickles" / "all.pkl").write_bytes(pickle.dumps(dict(zip(IDS, ROWS))))
    for name in ["cut.npz", "cut.parquet", "cut.safetensors"]:
        source = {"cut.npz": "stored.npz", "cut.parquet": "nested.parquet", "cut.safetensors": "f32.safetensors"}[name]
        data = (FILES / source).read_bytes()
        (FILES / name).write_bytes(data[: len(data) * 2 // 3])
        case(name, None, error={"cut.npz": "it is no zip archive", "cut.parquet": "it is no Parquet file", "cut.safetensors": "it is cut off"}[name])


def main():
    shutil.rmtree(FILES, ignore_errors=True)
    FILES.mkdir()
    datasets.disable_progress_bars()
    write_npy()
    write_npz()
    write_safetensors()
    write_tables()
    write_others()
    golden = {"ids": IDS, "steps": lists(ROWS), "vectors": lists(VECTORS), "cases": CASES}
    (HERE / "exchange.json").write_text(json.dumps(golden, indent=1) + "\n")
    print(len(CASES), "cases,", sum(f.stat().st_size for f in FILES.rglob("*") if f.is_file()), "bytes")


main()
