"""Everything that is promised to Python: `make test-golden PYTHON=<python>`.

The built lsgmer makes a small store of the demo; then the snippets of docs/shard-format.md run as they stand and must
see equal numbers, python/lsgmer.py must agree with lsgmer in both directions, and other libraries must read its exports.
Nothing in the repository is changed. Needs numpy, pyarrow, xxhash, torch, pandas, polars, datasets, duckdb, safetensors.
"""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
NEEDED = ["numpy", "pyarrow", "xxhash", "torch", "pandas", "polars", "datasets", "duckdb", "safetensors"]


def missing():
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]


def main():
    if missing():
        sys.exit(f"test-golden needs a Python with {', '.join(missing())}: python3 -m venv .venv && .venv/bin/pip install {' '.join(NEEDED)}, then make test-golden PYTHON=.venv/bin/python")
    sys.path.insert(0, str(ROOT / "python"))
    checks = [snippets, reads_every_row, several_parts_and_stores, refuses_damage, refuses_what_was_renamed, is_a_mapping, canonical_text, writes_what_lsgmer_verifies, failed_writes_leave_nothing, killed_writes_are_made_up_for, folds_are_those_of_train, torch_batches, exports_in_other_libraries]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ["HF_HOME"] = folder
        make_store()
        for check in checks:
            check()
            print("ok", check.__name__.replace("_", " "), flush=True)


def lsgmer(*args, code=0):
    ended = subprocess.run(["node", ROOT / "packages/cli/dist/main.js", *args], capture_output=True, text=True)
    assert ended.returncode == code, f"lsgmer {' '.join(map(str, args))}: {ended.returncode}\n{ended.stderr}"
    return ended.stdout


def make_store():
    script = f"import {{ generateDemo, silent }} from '{ROOT.as_uri()}/packages/datasets/dist/index.js'; await generateDemo('corpus', {{ utterances: 60, reporter: silent }});"
    subprocess.run(["node", "--input-type=module", "--eval", script], check=True)
    lsgmer("manifest", "build", "--dataset", "demo", "--root", "corpus", "--subset")
    lsgmer("features", "extract", "--preset", "tiny", "--device", "cpu")
    Path("folds.json").write_text(lsgmer("manifest", "folds", "--json"))


def snippets():
    """Each block of the document runs, and every reader's first row is pyarrow's."""
    import datasets
    import numpy as np

    datasets.disable_progress_bars()
    blocks = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs/shard-format.md").read_text(), re.M | re.S)
    assert len(blocks) >= 9
    names = {}
    for block in blocks:
        exec(compile(block, "docs/shard-format.md", "exec"), names)
    for reader in ["polars", "pandas", "datasets", "duckdb"]:
        assert np.array_equal(names[f"first_{reader}"], names["first"]), reader
    assert np.array_equal(names["row"].values, names["first"])
    assert "every byte is as it was written" in lsgmer("features", "verify", "--feature", "noise")
    [status] = [one for one in json.loads(lsgmer("features", "status", "--json")) if one["feature"] == "noise"]
    assert status["stale"] == 0 and not status["coverage"]["missing"], status
    shutil.rmtree("store/demo/noise")


def tables(feature):
    import pyarrow as pa
    import pyarrow.ipc as ipc

    for path in Path("store/demo").glob(f"{feature}/*/shards/*.arrow"):
        yield ipc.open_file(pa.memory_map(str(path))).read_all()


def reads_every_row():
    import lsgmer as py
    import numpy as np

    for feature in ["random-tiny-wavlm", "random-tiny-roberta", "random-tiny-alexnet"]:
        for check in ["rows", "shards", "none"]:
            features = py.open_features("store", "demo", feature, check=check)
            seen = 0
            for table in tables(feature):
                for record in table.to_pylist():
                    row = features[record["utterance_id"]]
                    assert np.array_equal(row.values, np.array(record["features"], "f2")) and len(row.values) == record["n"]
                    assert features.length(row.id) == record["n"]
                    if features.kind == "text":
                        assert row.token_ids.tolist() == record["token_ids"]
                        assert row.token_spans.ravel().tolist() == record["token_spans"]
                    seen += 1
            assert seen == len(features) == len(features.ids())
    manifest = {one["id"]: one for one in py.read_manifest("store", "demo")}
    for feature, kind in [("random-tiny-wavlm", "audio"), ("random-tiny-roberta", "text")]:
        for id, input in py.open_features("store", "demo", feature).inputs().items():
            assert input == py.input_of(manifest[id], kind)


def write(store, name, rows, **more):
    import lsgmer as py

    return py.write_features(store, "demo", name, "audio", rows, {"encoder": "test", "rate": 1e-7}, **more)


def several_parts_and_stores():
    """Union, precedence by revision, quarantine, and a float16 set with a float32 shard; as lsgmer sees them."""
    import lsgmer as py
    import numpy as np

    ids = [one["id"] for one in py.read_manifest("store", "demo")]
    row = lambda id, value: {"id": id, "split": None, "values": np.full((2, 4), value, "f4"), "input": str(value)}
    write("store", "parts", [row(ids[0], 1), row(ids[1], 1)], part="a")
    folder = write("store", "parts", [row(ids[1], 2), row(ids[2], 2)], part="b")
    index = folder / "index" / "b.json"
    part = py._read_index(index)
    part.pop("sha256", None)
    part["utterances"][ids[1]]["revision"] = 1
    part["quarantined"][ids[3]] = {"reason": "cut off", "input": "x"}
    part["quarantined"][ids[0]] = {"reason": "older", "input": "x"}
    text = py.canonical(part)
    index.write_text(f'{text[:-1]},"sha256":"{py.hashlib.sha256(text.encode()).hexdigest()}"}}\n')
    shutil.copytree("store/demo/parts", "second/demo/parts")
    (Path("second/demo/parts") / folder.name / "index" / "a.json").unlink()
    for stores in ["store", "second:store", ["store", "second"]]:
        features = py.open_features(stores, "demo", "parts")
        assert features.ids() == sorted(ids[:3])
        assert [features[id].values[0, 0] for id in ids[:3]] == [1, 2, 2]
        assert features.quarantined == {ids[3]: "cut off"}
    lsgmer("features", "export", "--feature", "parts", "--to", "npy", "--out", "parts")
    assert [np.load(f"parts/{id}.npy")[0, 0] for id in ids[:3]] == [1, 2, 2]
    try:
        features[ids[3]]
    except KeyError as error:
        assert "cut off" in str(error)
    os.makedirs("wide")
    for id, value in zip(ids, [1, 100000, 3]):
        np.save(f"wide/{id.split('/')[-1]}.npy", np.full((2, 4), value, "f4"))
    lsgmer("features", "import", "wide", "--name", "wide", "--kind", "audio", "--overflow", "float32")
    features = py.open_features("store", "demo", "wide")
    assert features.spec["dtype"] == "float16" and features.dtype == np.float32
    assert [features[id].values[0, 0] for id in ids[:3]] == [1, 100000, 3]


def expect(message, work, kind=Exception):
    try:
        work()
    except kind as error:
        assert message in str(error), error
    else:
        raise AssertionError(f"expected: {message}")


def refuses_damage():
    import lsgmer as py

    shutil.copytree("store/demo/wide", "broken/demo/wide")
    [folder] = Path("broken/demo/wide").glob("*")
    opened = lambda check="rows": py.open_features("broken", "demo", "wide", check)
    [index] = (folder / "index").glob("*.json")
    part = py._read_index(index)
    entry = part["shards"][0]
    shard = folder / "shards" / f"sha256-{entry['sha256']}.arrow"
    data = bytearray(shard.read_bytes())
    data[entry["values"][0][0]] ^= 1
    shard.write_bytes(data)
    [id] = [id for id, one in part["utterances"].items() if one["shard"] == 0][:1]
    expect("damaged; run `lsgmer features repair`", lambda: opened()[id], py.StoreError)
    expect("damaged; run `lsgmer features repair`", lambda: opened("shards")[id], py.StoreError)
    text = index.read_bytes()
    index.write_bytes(text.replace(b'"bytes"', b'"bytEs"', 1))
    expect("is damaged", opened, py.StoreError)
    index.write_bytes(text)
    spec = folder / "feature.json"
    spec.write_text(spec.read_text().replace('"format": 1', '"format": 2'))
    expect("was written in format 2, and this lsgmer.py reads up to 1", opened, py.StoreError)


def refuses_what_was_renamed():
    """Copies made by hand, as lsgmer refuses them: of the dataset, the feature, the fingerprint."""
    import lsgmer as py

    [folder] = Path("store/demo/wide").glob("*")
    fingerprint = folder.name
    other = ("0" if fingerprint[0] != "0" else "1") + fingerprint[1:]
    for dataset, feature, name in [("other", "wide", fingerprint), ("demo", "narrow", fingerprint), ("demo", "wide", other)]:
        shutil.copytree(folder, f"named/{dataset}/{feature}/{name}")
        message = f"named/{dataset}/{feature}/{name} is a copy of demo/wide/{fingerprint}, which is not in its own folder: rename it back to named/demo/wide/{fingerprint}, or remove it"
        expect(message, lambda: py.open_features("named", dataset, feature), py.StoreError)
        shutil.copytree(folder, f"named/demo/wide/{fingerprint}")
        expect("which is there too: remove the copy", lambda: py.open_features("named", dataset, feature), py.StoreError)
        shutil.rmtree("named")
    shutil.copytree(folder, f"named/demo/wide/{fingerprint}.bak")
    expect("rename it back to", lambda: py.open_features("named", "demo", "wide"), py.StoreError)
    whole = Path(shutil.copytree(folder, f"named/demo/wide/{fingerprint}"))
    assert len(py.open_features("named", "demo", "wide")) > 0
    # only feature.json is another's: the set is damaged, and no copy
    [text] = Path("store/demo/random-tiny-wavlm").glob("*/feature.json")
    shutil.copy(text, whole)
    expect("its index is of demo/wide", lambda: py.open_features("named", "demo", "wide"), py.StoreError)
    shutil.copy(folder / "feature.json", whole)
    [index] = Path("store/demo/random-tiny-wavlm").glob("*/index/*.json")
    shutil.copy(index, whole / "index/foreign.json")
    expect("foreign.json belongs to demo/random-tiny-wavlm", lambda: py.open_features("named", "demo", "wide"), py.StoreError)


def is_a_mapping():
    import lsgmer as py

    features = py.open_features("store", "demo", "wide")
    ids = features.ids()
    assert list(features) == ids == list(features.keys()) == sorted(ids) and len(ids) > 2
    assert ids[0] in features and "demo/none" not in features and features.get("demo/none") is None
    assert [(id, len(row.values)) for id, row in features.items()] == [(id, features.length(id)) for id in ids]
    assert [row.id for row in features.values()] == ids
    assert features == features and features != py.open_features("store", "demo", "wide") and features in {features}


def canonical_text():
    """RFC 8785 as lsgmer's own package has it: numbers of all sizes, keys beyond ASCII."""
    import struct

    import lsgmer as py
    import numpy as np

    rng = np.random.default_rng(3)
    numbers = [0.0, -0.0, 1.0, 1e16, 123456789012345680000.0, 1e21, 1e22, 1e-6, 1e-7, 5e-324, 1.7976931348623157e308, 0.1, -1.5e-9, 12345.678]
    numbers += [x for x in struct.unpack("<2000d", rng.bytes(16000)) if np.isfinite(x)]
    numbers += (rng.standard_normal(2000) * 10.0 ** rng.integers(-9, 25, 2000)).tolist()
    value = {"numbers": numbers, "\u20ac": [True, None, "\u2028\"\\\n\x7f"], "\U0001f600": 1, "\ufb33": {"b": 1, "a": 2}}
    Path("value.json").write_text(json.dumps(value))
    script = f"import {{ canonicalJson }} from '{ROOT.as_uri()}/packages/datasets/dist/index.js'; import {{ readFileSync }} from 'node:fs'; process.stdout.write(canonicalJson(JSON.parse(readFileSync('value.json', 'utf8'))));"
    expected = subprocess.run(["node", "--input-type=module", "--eval", script], check=True, capture_output=True).stdout
    assert py.canonical(value).encode() == expected


def writes_what_lsgmer_verifies():
    """Our own features, written by Python: whole, not stale, several shards, and the same predictions."""
    import lsgmer as py
    import numpy as np

    for feature, kind in [("random-tiny-wavlm", "audio"), ("random-tiny-roberta", "text")]:
        features = py.open_features("store", "demo", feature)
        times = {"first_seconds": features.spec["firstSeconds"], "step_seconds": features.spec["stepSeconds"]}
        rows = (features[id]._asdict() | {"split": None, "input": features.inputs()[id]} for id in features.ids())
        py.write_features("store", "demo", f"py-{kind}", kind, rows, {"encoder": feature}, shard_bytes=200_000, **times)
        lsgmer("features", "verify", "--feature", f"py-{kind}")
    status = {one["feature"]: one for one in json.loads(lsgmer("features", "status", "--json"))}
    assert status["py-audio"]["stale"] == status["py-text"]["stale"] == 0
    assert status["py-audio"]["shards"] > 2
    train = ["train", "--fold", "1", "--threads", "1", "--set", "epochs=1", "--set", "d=16", "--features"]
    lsgmer(*train, "text=random-tiny-roberta,audio=random-tiny-wavlm,alexnet=random-tiny-alexnet")
    [own] = Path("runs").glob("demo/*/*/predictions.csv")
    lsgmer(*train, "text=py-text,audio=py-audio,alexnet=random-tiny-alexnet")
    [other] = [path for path in Path("runs").glob("demo/*/*/predictions.csv") if path != own]
    assert own.read_text() == other.read_text()


def failed_writes_leave_nothing():
    """What is wrong is said as `features import` says it, and nothing of the call stays: not even a folder."""
    import lsgmer as py
    import numpy as np

    ids = [one["id"] for one in py.read_manifest("store", "demo")]
    row = lambda id=ids[0], values=np.zeros((1, 4)), **more: {"id": id, "values": values, **more}
    nan = np.zeros((2, 4))
    nan[1, 3] = np.nan
    large = lambda value: row(values=np.full((1, 4), value))
    cases = [
        ([row(ids[1]), row(values=nan)], {}, "at step 1, dimension 3, it is nan: expected a finite number"),
        ([large(-np.inf)], {}, "it is -inf: expected a finite number"),
        ([large(1e6)], {}, "beyond float16's range (largest value 65504; dtype='float32' keeps it)"),
        ([large(1e300)], {}, "beyond float16's range (largest value 65504)"),
        ([large(1e300)], {"dtype": "float32"}, "beyond float32's range (largest value 3.40282e+38)"),
        ([row(values=np.zeros((0, 16)))], {}, "of shape (0, 16), expected [n, 16] with n at least 1"),
        ([row(values=np.zeros(16))], {}, "of shape (16,), expected [n, dim]"),
        ([row(), row()], {}, "comes twice"),
        ([row(), row(ids[1], np.zeros((1, 5)))], {"shard_bytes": 1}, "of shape (1, 5), expected [n, 4]"),
        ([row()], {"dtype": "float64"}, "expected 'float16' or 'float32'"),
        ((row(f"demo/{i}") for i in range(1000)), {}, "10 or more of the ids are not in the manifest of demo (demo/0, demo/1, demo/2, demo/3, demo/4, ...)"),
        ([row()] + [row(f"demo/{i}") for i in range(20)], {}, "20 of the ids are not in the manifest of demo (demo/0, "),
        ([row(), row("demo/a")], {"shard_bytes": 1}, f"1 of the ids are not in the manifest of demo (demo/a): expected ids like {min(ids)}"),
    ]
    for rows, more, message in cases:
        expect(message, lambda: write("store", "bad", rows, **more), py.StoreError)
        assert not Path("store/demo/bad").exists(), message
    expect("twice", lambda: write("fresh/one", "bad", [row(), row()]), py.StoreError)
    assert not Path("fresh").exists()

    def broken():
        yield row(split="a")
        yield row(ids[1], split="b")
        raise KeyboardInterrupt

    expect("", lambda: write("store", "bad", broken(), shard_bytes=1), KeyboardInterrupt)
    assert not Path("store/demo/bad").exists()
    # what others wrote stays, a shard of the same content among it
    folder = write("store", "bad", [row()], part="a")
    before = sorted(folder.rglob("*"))
    expect("comes twice", lambda: write("store", "bad", [row(), row()], part="b", shard_bytes=1), py.StoreError)
    assert sorted(folder.rglob("*")) == before
    lsgmer("features", "verify", "--feature", "bad")
    shutil.rmtree("store/demo/bad")
    # without a manifest nobody knows which ids there are
    assert list(py.open_features("bare", "demo", write("bare", "free", [row("demo/a")]).parent.name)) == ["demo/a"]


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
import lsgmer as py
import numpy as np
die_at, seen = int(sys.argv[2]), 0
replace = os.replace
def counted(*paths):
    global seen
    seen += 1
    if seen == die_at:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(*paths)
os.replace = counted
def rows():
    for i, one in enumerate(py.read_manifest("store", "demo")):
        if die_at == 0 and i == 20:
            os.kill(os.getpid(), signal.SIGKILL)
        yield {"id": one["id"], "split": "ab"[i % 2], "values": np.full((3, 4), i, "f4"), "input": py.input_of(one, "text")}
py.write_features("store", "demo", "killed", "text", rows(), {"encoder": "killed"}, shard_bytes=1)
"""


def killed_writes_are_made_up_for():
    """Killed while rows come, nothing counts; killed at the end, repair completes the set from its shards. The next call leaves no rest."""
    import lsgmer as py

    run = lambda die_at: subprocess.run([sys.executable, "-c", KILLED, str(ROOT / "python"), str(die_at)]).returncode
    home = Path("store/demo/killed")
    ids = sorted(one["id"] for one in py.read_manifest("store", "demo"))
    names = lambda: {one["feature"] for one in json.loads(lsgmer("features", "status", "--json"))}
    for die_at in (0, 1):
        assert run(die_at) == -9
        left = [path.name for path in home.rglob("*") if path.is_file()]
        assert left and all(name.startswith(".tmp-") for name in left), left
        assert "killed" not in names()
    assert run(-1) == 0
    everything = len(ids) + 2  # a shard a row, feature.json, index
    assert len(list(home.rglob("*.arrow"))) == len(ids) and not list(home.rglob(".tmp-*"))
    assert py.open_features("store", "demo", "killed").ids() == ids
    shutil.rmtree(home)
    for die_at in (everything - 1, everything):
        assert run(die_at) == -9
        lsgmer("features", "verify", "--feature", "killed", code=3)
        lsgmer("features", "repair", "--feature", "killed")
        lsgmer("features", "verify", "--feature", "killed")
        features = py.open_features("store", "demo", "killed")
        assert features.ids() == ids and not list(home.rglob(".tmp-*"))
        assert features.inputs() == {one["id"]: py.input_of(one, "text") for one in py.read_manifest("store", "demo")}
        assert sorted(int(row.values[0, 0]) for row in features.values()) == list(range(len(ids)))
        shutil.rmtree(home)


def folds_are_those_of_train():
    import csv

    import lsgmer as py

    folds = py.Folds.read("folds.json")
    [path, *_] = Path("runs").glob("demo/*/*/predictions.csv")
    rows = list(csv.DictReader(path.open()))
    assert [row["id"] for row in rows] == folds.ids("Ses01", "test")
    assert [row["label"] for row in rows] == [folds.classes[folds.labels[row["id"]]] for row in rows]
    sizes = lsgmer("manifest", "folds").splitlines()[3:]
    parts = [[fold["id"], *(str(len(fold[part])) for part in ("train", "dev", "test"))] for fold in folds.folds.values()]
    assert [line.split() for line in sizes] == parts


def torch_batches():
    import lsgmer as py
    import numpy as np
    import torch

    folds = py.Folds.read("folds.json")
    features = {"text": py.open_features("store", "demo", "random-tiny-roberta"), "audio": py.open_features("store", "demo", "random-tiny-wavlm")}
    train = py.Utterances(features, folds, "Ses02", "train")
    buckets = py.LengthBuckets(train.lengths("audio"), batch_size=8, seed=5)
    orders = []
    for workers in (0, 0, 2):
        seen = []
        for batch in torch.utils.data.DataLoader(train, batch_sampler=buckets, collate_fn=py.collate, num_workers=workers):
            for b, id in enumerate(batch["ids"]):
                assert batch["labels"][b] == folds.labels[id]
                for name, one in features.items():
                    n = one.length(id)
                    assert batch[f"{name}_lengths"][b] == n
                    assert np.array_equal(batch[name][b, :n].numpy(), one[id].values) and not batch[name][b, n:].any()
            seen += batch["ids"]
        assert sorted(seen) == sorted(folds.ids("Ses02", "train"))
        orders.append(seen)
    assert orders[0] != orders[1]
    again = py.LengthBuckets(train.lengths("audio"), batch_size=8, seed=5)
    assert [train.ids[i] for batch in again for i in batch] == orders[0]
    expect("utterances lack a feature", lambda: py.Utterances({"a": py.open_features("store", "demo", "wide")}, folds, "Ses02", "train"), py.StoreError)


def exports_in_other_libraries():
    """Parquet, .npy and safetensors as pyarrow, pandas, polars, DuckDB, NumPy and safetensors read them."""
    import duckdb
    import lsgmer as py
    import numpy as np
    import pandas as pd
    import polars as pl
    import pyarrow.parquet as pq
    from safetensors.numpy import load_file

    for feature, dtype in [("random-tiny-wavlm", "f2"), ("wide", "f4"), ("random-tiny-roberta", "f2")]:
        own = py.open_features("store", "demo", feature)
        expected = {id: own[id].values for id in own.ids()}
        means = {id: value.astype("f8").mean(0).astype("f4") for id, value in expected.items()}
        for to in ["parquet", "npy", "safetensors"]:
            for pool in [[], ["--pool", "mean"]]:
                lsgmer("features", "export", "--feature", feature, "--to", to, "--out", f"{feature}-{to}{len(pool)}", *pool)
        tensors = load_file(f"{feature}-safetensors0/all.safetensors")
        pooled = load_file(f"{feature}-safetensors2/all.safetensors")
        assert tensors.keys() == pooled.keys() == expected.keys()
        for id, value in expected.items():
            array = np.load(f"{feature}-npy0/{id}.npy")
            assert array.dtype == tensors[id].dtype == np.dtype(dtype)
            assert np.array_equal(array, value) and np.array_equal(tensors[id], value)
            for mean in [np.load(f"{feature}-npy2/{id}.npy"), pooled[id]]:
                assert mean.dtype == np.float32 and np.allclose(mean, means[id], rtol=1e-6, atol=0)
        path = f"{feature}-parquet0/all.parquet"
        table = pq.read_table(path)
        assert json.loads(table.schema.metadata[b"lsgmer.spec"]) == own.spec
        assert pq.ParquetFile(path).metadata.row_group(0).column(2).compression == "ZSTD"
        ids = table["utterance_id"].to_pylist()
        assert ids == sorted(expected)
        columns = {
            "pyarrow": table["features"].to_pylist(),
            "pandas": [np.stack(one) for one in pd.read_parquet(path)["features"]],
            "polars": [one.to_numpy() for one in pl.read_parquet(path)["features"]],
            "duckdb": [row[0] for row in duckdb.sql(f"select features from '{path}'").fetchall()],
        }
        for reader, column in columns.items():
            for id, value in zip(ids, column):
                assert np.array_equal(np.asarray(value, dtype), expected[id]), (reader, id)
        for id, value in zip(ids, pq.read_table(f"{feature}-parquet2/all.parquet")["features"].to_pylist()):
            assert np.allclose(value, means[id], rtol=1e-6, atol=0)
        if own.kind == "text":
            assert table["token_ids"].to_pylist() == [own[id].token_ids.tolist() for id in ids]


main()
