"""Checks the feature store's shards with foreign readers and writes down what pyarrow sees in them.

    python test/golden/store/store.py [--check]     (pyarrow, numpy, pandas, polars, datasets, duckdb, xxhash)

The sets are made by the store's own writer (write-shards.mjs, needs node). This script reads them without our
code: the columns with pyarrow, pandas, polars, DuckDB and Hugging Face datasets, which must agree; the checksums with
hashlib and xxhash; where the feature values lie with pyarrow's buffer addresses. store.json then holds pyarrow's
view beside the sha256 of the shard that it was taken from. The tests write the same sets again and compare both.
With --check nothing is written: the view must be the one that is written down.
"""

import hashlib
import json
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import datasets
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.ipc as ipc
import xxhash

HERE = Path(__file__).parent


def row_hash(id, n, values, token_ids):
    data = id.encode() + b"\0" + struct.pack("<i", n) + values.tobytes()
    if token_ids is not None:
        data += np.asarray(token_ids, "<i4").tobytes()
    return xxhash.xxh64_intdigest(data, seed=0)


def check_index(path):
    text = path.read_bytes()
    index = json.loads(text)
    digest = index.pop("sha256")
    body = json.dumps(index, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert hashlib.sha256(body).hexdigest() == digest
    assert text == body[:-1] + b',"sha256":"%s"}\n' % digest.encode()
    return index


def check_outside(data, entry, dtype):
    """The values lie where the index says, and the xxh64 of all other bytes is the index's."""
    buffer = pa.py_buffer(data)
    reader = ipc.open_file(buffer)
    regions = []
    for b in range(reader.num_record_batches):
        values = reader.get_batch(b).column("features").values.values
        regions.append([values.buffers()[1].address - buffer.address, len(values) * np.dtype(dtype).itemsize])
    assert regions == entry["values"]
    outside = xxhash.xxh64(seed=0)
    at = 0
    for start, length in regions:
        outside.update(data[at:start])
        at = start + length
    outside.update(data[at:])
    assert outside.hexdigest() == entry["outside"]


def plain(values):
    """Nested lists, arrays and series of one row as lists of Python numbers."""
    if isinstance(values, (pl.Series, np.ndarray)):
        values = values.to_list() if isinstance(values, pl.Series) else values.tolist()
    return [plain(v) for v in values] if isinstance(values, (list, tuple, np.ndarray, pl.Series)) else float(values)


def check_other_readers(path, table):
    """pandas, polars and datasets see the rows that pyarrow sees."""
    expected = [plain(row) for row in table["features"].to_pylist()]
    seen = {"pandas": pd.read_feather(path), "polars": pl.read_ipc(path, memory_map=False), "duckdb": in_duckdb(table)}
    datasets.disable_progress_bars()
    with tempfile.TemporaryDirectory() as cache:
        seen["datasets"] = datasets.load_dataset("arrow", data_files=str(path), cache_dir=cache, split="train")
        return compare(seen, table, expected)


def in_duckdb(table):
    """DuckDB has no float16: cast first."""
    step = table.schema.field("features").type.value_type
    wide = table.set_column(2, "features", table["features"].cast(pa.list_(pa.list_(pa.float32(), step.list_size))))
    rows = duckdb.sql("select * from wide").fetchall()
    return {name: [row[i] for row in rows] for i, name in enumerate(table.column_names)}


def compare(seen, table, expected):
    for name, frame in seen.items():
        for column in table.column_names:
            if column == "features" or column.startswith("token"):
                want = expected if column == "features" else [plain(r) for r in table[column].to_pylist()]
                assert [plain(np.stack(r) if isinstance(r, np.ndarray) and r.dtype == object else r) for r in frame[column]] == want, (name, column)
            else:
                assert list(frame[column]) == table[column].to_pylist(), (name, column)
    return sorted(seen)


def view(folder):
    spec = json.loads((folder / "feature.json").read_text())
    [index_path] = folder.glob("index/*.json")
    index = check_index(index_path)
    [entry] = index["shards"]
    path = folder / "shards" / f"sha256-{entry['sha256']}.arrow"
    data = path.read_bytes()
    assert hashlib.sha256(data).hexdigest() == entry["sha256"] and len(data) == entry["bytes"]
    check_outside(data, entry, spec["dtype"])

    table = ipc.open_file(pa.memory_map(str(path))).read_all()
    table.validate(full=True)
    assert table.num_rows == entry["rows"] == len(index["utterances"])
    assert json.loads(table.schema.metadata[b"lsgmer.spec"]) == spec
    text = spec["kind"] == "text"
    rows = []
    for record in table.to_pylist():
        values = np.asarray(record["features"], spec["dtype"])
        assert values.shape == (record["n"], spec["dim"])
        token_ids = record["token_ids"] if text else None
        assert row_hash(record["utterance_id"], record["n"], values, token_ids) == record["xxh64"]
        rows.append(
            {
                "id": record["utterance_id"],
                "n": record["n"],
                "values": values.astype("float64").ravel().tolist(),
                "xxh64": f"{record['xxh64']:016x}",
                **({"tokenIds": token_ids, "tokenSpans": record["token_spans"]} if text else {}),
            }
        )
    return {
        "feature": spec["feature"],
        "sha256": entry["sha256"],
        "schema": str(table.schema.remove_metadata()).splitlines(),
        "format": table.schema.metadata[b"lsgmer.format"].decode(),
        "split": table.schema.metadata[b"lsgmer.split"].decode(),
        "readBy": ["pyarrow", *check_other_readers(path, table)],
        "rows": rows,
    }


def main():
    with tempfile.TemporaryDirectory() as store:
        subprocess.run(["node", HERE / "write-shards.mjs", store], check=True)
        sets = [view(path.parent) for path in sorted(Path(store).glob("sample/*/*/feature.json"))]
    lines = ",\n".join(json.dumps(s, separators=(",", ":")) for s in sets)
    if "--check" in sys.argv:
        assert json.loads((HERE / "store.json").read_text())["sets"] == sets, "store.json says something else"
    else:
        (HERE / "store.json").write_text(f'{{"pyarrow":"{pa.__version__}","sets":[\n{lines}\n]}}\n')
    for s in sets:
        print(s["feature"], s["sha256"][:12], len(s["rows"]), "rows, read by", ", ".join(s["readBy"]))


main()
