"""Features that lsgmer stored, in Python: read them, train on them with PyTorch, write some for lsgmer to train on.

One file to be copied: needs pyarrow and numpy; xxhash to check single rows and to write; torch for `Utterances` and
`collate`. docs/shard-format.md says what the files hold.

    import lsgmer
    features = lsgmer.open_features("store", "meld", "wavlm-large")         # or name@<first digits of the fingerprint>
    row = features["meld/train/dia0_utt0"]                                  # row.values: numpy [n, dim]

    folds = lsgmer.Folds.read("folds.json")          # lsgmer manifest folds --dataset meld --json > folds.json
    train = lsgmer.Utterances({"audio": features}, folds, "test", "train")  # a torch Dataset
    buckets = lsgmer.LengthBuckets(train.lengths(), batch_size=32, seed=1)
    loader = torch.utils.data.DataLoader(train, batch_sampler=buckets, collate_fn=lsgmer.collate)
"""

import hashlib
import json
import math
import os
import random
import re
import secrets
import socket
import struct
import time
from collections import namedtuple
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc

try:
    import xxhash
except ImportError:
    xxhash = None
try:
    import torch
except ImportError:
    torch = None

#: Newest version of the files that is read, and the one that is written.
FORMAT = 1
ROWS_PER_BATCH = 32
SHARD_BYTES = 250_000_000
#: Input of a row of which nobody knows what it was computed from: never stale.
UNCHECKED = "unchecked"
#: Rows come one by one and may be long to compute: so many unknown ids are enough to stop.
MOST_UNKNOWN = 10


class StoreError(Exception):
    """Something in the store is not as it should be; says what, where, and what to do."""


# ---------------------------------------------------------------------------------------------------------- digests


def canonical(value):
    """RFC 8785 text of a JSON value, as lsgmer hashes it."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{canonical(key)}:{canonical(value[key])}" for key in keys) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(canonical(one) for one in value) + "]"
    if isinstance(value, float):
        return _number(value)
    return json.dumps(value, ensure_ascii=False)


def _number(x):
    """A float as ECMAScript prints it: the same digits as Python, other rules for the exponent."""
    if not math.isfinite(x):
        raise ValueError(f"{x} is no JSON number")
    if x == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(x)).normalize().as_tuple()
    text = "".join(map(str, digits))
    point = len(text) + exponent
    if len(text) <= point <= 21:
        body = text + "0" * exponent
    elif 0 < point <= 21:
        body = text[:point] + "." + text[point:]
    elif -6 < point <= 0:
        body = "0." + "0" * -point + text
    else:
        body = text[0] + ("." + text[1:] if len(text) > 1 else "") + f"e{'+' if point > 0 else '-'}{abs(point - 1)}"
    return ("-" if sign else "") + body


def digest(value):
    """Lower-case hex sha256 of the canonical text of a JSON value: fingerprints, inputs."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def row_hash(id, values, token_ids=None):
    """xxh64 of a row: utf8(id), one 0 byte, int32 n, the values as they are stored, the token ids as int32."""
    hash = xxhash.xxh64(id.encode() + b"\0" + struct.pack("<i", len(values)), seed=0)
    hash.update(np.ascontiguousarray(values).tobytes())
    if token_ids is not None:
        hash.update(np.asarray(token_ids, "<i4").tobytes())
    return hash.intdigest()


def input_of(utterance, kind):
    """What a feature of an utterance depends on: rows with another input are stale. `kind` is text or audio."""
    if kind == "text":
        return hashlib.sha256(utterance["text"].encode()).hexdigest()
    media = utterance["media"]
    if media is None or media["sha256"] is None:
        return UNCHECKED
    channel = {"channel": media["channel"]} if "channel" in media else {}
    return digest({"media": media["sha256"], "start": media.get("start"), "end": media.get("end"), **channel})


# ---------------------------------------------------------------------------------------------------------- reading

Row = namedtuple("Row", "id values token_ids token_spans")
_Held = namedtuple("_Held", "folder shard input revision")


def _stores(stores):
    return [Path(one) for one in (stores.split(":") if isinstance(stores, str) else [stores] if isinstance(stores, Path) else stores) if one]


def _json(path):
    value = json.loads(path.read_bytes())
    if value["format"] > FORMAT:
        raise StoreError(f"{path} was written in format {value['format']}, and this lsgmer.py reads up to {FORMAT}")
    return value


def read_manifest(stores, dataset):
    """All utterances of a dataset, as dicts, in order; the first store that has a manifest counts."""
    for store in _stores(stores):
        path = store / dataset / "manifest.json"
        if not path.exists():
            continue
        info = _json(path)["manifest"]
        data = (path.parent / info["file"]).read_bytes()
        if hashlib.sha256(data).hexdigest() != info["sha256"]:
            raise StoreError(f"{path.parent / info['file']} is not what manifest.json says: build the manifest again")
        return [json.loads(line) for line in data.splitlines()]
    raise StoreError(f"no manifest of {dataset} in {stores}")


def _read_index(path):
    """An index part ends with the sha256 of its own canonical JSON."""
    text = path.read_bytes()
    body, tail = text[:-78] + b"}", text[-78:]
    if hashlib.sha256(body).hexdigest().encode() != tail[11:75] or not tail.startswith(b',"sha256":"'):
        raise StoreError(f"{path} is damaged; run `lsgmer features repair`")
    part = json.loads(body)
    if part["format"] > FORMAT:
        raise StoreError(f"{path} was written in format {part['format']}, and this lsgmer.py reads up to {FORMAT}")
    return part


def open_features(stores, dataset, feature, check=None):
    """Opens a feature set: `stores` a path, several with ":", or a list; `feature` a name, or name@<first digits>."""
    name, _, prefix = feature.partition("@")
    found, misplaced = {}, []
    for store in _stores(stores):
        for path in sorted((store / dataset / name).glob(f"{prefix}*/feature.json")):
            problem = _misplaced(path.parent, store)
            if problem is None:
                found.setdefault(path.parent.name, []).append(path.parent)
            elif not path.parent.name.startswith("."):
                misplaced.append((path.parent.name, problem))
    # a copy called "<fingerprint>.bak" is no set, and is passed over beside one
    for folder, problem in misplaced:
        if not found or re.fullmatch("[0-9a-f]{64}", folder):
            raise StoreError(problem)
    if len(found) != 1:
        choices = ", ".join(one[:12] for one in found) or "none"
        raise StoreError(f"{dataset} has {len(found)} sets of {feature} in {stores} ({choices}): choose one as {name}@<first digits>")
    return FeatureSet(next(iter(found.values())), check)


def _names(record):
    return record["dataset"], record["feature"], record["fingerprint"]


def _misplaced(folder, store):
    """What is wrong with a set whose feature.json names another one than its folder does; None where nothing is."""
    said, expected = _names(_json(folder / "feature.json")), folder.parts[-3:]
    if said == expected:
        return None
    if any(_names(_read_index(path)) == expected for path in _parts(folder)):
        return f"{folder / 'feature.json'} describes {'/'.join(said)}, and its index is of {'/'.join(expected)}: run `lsgmer features repair`"
    what, own = f"{folder} is a copy of {'/'.join(said)}", store.joinpath(*said)
    if (own / "feature.json").exists():
        return f"{what}, which is there too: remove the copy"
    return f"{what}, which is not in its own folder: rename it back to {own}, or remove it"


def _parts(folder):
    return sorted((folder / "index").glob("[!.]*.json"))


class FeatureSet(Mapping):
    """Rows of one feature by utterance id, from all index parts of all stores: a mapping, in the order of the ids.

    `in`, `len`, iteration, `ids()`, `keys()` and `length(id)` read no values; `items()` and `values()` read row by row.

    check: "rows" compares each row's xxh64 the first time that it is read (needs xxhash); "shards" each shard's sha256
    when it is opened; "none". Without a choice rows where xxhash is there, else shards.
    """

    def __init__(self, folders, check=None):
        self.folders = folders
        self.spec = _json(folders[0] / "feature.json")
        self.dim, self.kind = self.spec["dim"], self.spec["kind"]
        self.check = check or ("rows" if xxhash else "shards")
        self._rows, self.quarantined = self._unite()
        wide = any(held.shard["dtype"] == "float32" for held in self._rows.values())
        #: Type of all values: float32 as soon as one shard is (values beyond float16's range).
        self.dtype = np.dtype("float32" if wide else self.spec["dtype"])
        self._shards, self._verified = {}, set()

    def _unite(self):
        """Highest revision, then computed over quarantined, then known over lost input, then the earlier part."""
        rows, quarantined = {}, {}
        for folder in self.folders:
            for path in _parts(folder):
                part = _read_index(path)
                if _names(part) != _names(self.spec):
                    raise StoreError(f"{path} belongs to {'/'.join(_names(part))}: move it back, or remove it")
                for id, entry in part["utterances"].items():
                    revision = entry.get("revision", 0)
                    rank = (revision, entry["input"] != "unknown")
                    if id not in rows or (rows[id].revision, rows[id].input != "unknown") < rank:
                        rows[id] = _Held(folder, part["shards"][entry["shard"]], entry["input"], revision)
                for id, entry in part["quarantined"].items():
                    if id not in quarantined or quarantined[id].get("revision", 0) < entry.get("revision", 0):
                        quarantined[id] = entry
        for id in list(quarantined):
            if id in rows and rows[id].revision >= quarantined[id].get("revision", 0):
                del quarantined[id]
            else:
                rows.pop(id, None)
        return rows, {id: entry["reason"] for id, entry in quarantined.items()}

    def __getstate__(self):
        # workers of a DataLoader map the shards themselves
        return {**self.__dict__, "_shards": {}, "_verified": set()}

    def __contains__(self, id):
        return id in self._rows

    def __len__(self):
        return len(self._rows)

    def __iter__(self):
        return iter(self.ids())

    # two sets are the same one or not: a mapping's own comparison would read every row
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def ids(self):
        """Ids of all rows, sorted; what was quarantined is not among them."""
        return sorted(self._rows)

    def inputs(self):
        """What each row was computed from, by id; compare with `input_of`."""
        return {id: held.input for id, held in self._rows.items()}

    def length(self, id):
        table, positions = self._shard(id)
        return table["n"][positions[id]].as_py()

    def __getitem__(self, id):
        """One row; `values` [n, dim] of type `dtype`, token_ids [n] and token_spans [n, 2] for text, else None."""
        table, positions = self._shard(id)
        at = positions[id]
        shard_type = self._rows[id].shard["dtype"]
        values = table["features"][at].values.flatten().to_numpy().reshape(-1, self.dim)
        tokens = spans = None
        if self.kind == "text":
            tokens = table["token_ids"][at].values.to_numpy()
            spans = table["token_spans"][at].values.to_numpy().reshape(-1, 2)
        if self.check == "rows" and id not in self._verified:
            if row_hash(id, values.astype(shard_type, copy=False), tokens) != table["xxh64"][at].as_py():
                raise StoreError(f"{self._path(self._rows[id])}, {id}: damaged; run `lsgmer features repair`")
            self._verified.add(id)
        return Row(id, values.astype(self.dtype, copy=False), tokens, spans)

    def _path(self, held):
        return held.folder / "shards" / f"sha256-{held.shard['sha256']}.arrow"

    def _shard(self, id):
        if id not in self._rows:
            reason = self.quarantined.get(id)
            raise KeyError(f"{self.spec['feature']} has no row for {id}" + (f": {reason}" if reason else ""))
        held = self._rows[id]
        path = self._path(held)
        if path not in self._shards:
            if self.check == "shards" and _sha256(path) != held.shard["sha256"]:
                raise StoreError(f"{path} is damaged; run `lsgmer features repair`")
            table = ipc.open_file(pa.memory_map(str(path))).read_all()
            version = int(table.schema.metadata[b"lsgmer.format"])
            if version > FORMAT:
                raise StoreError(f"{path} was written in format {version}, and this lsgmer.py reads up to {FORMAT}")
            self._shards[path] = table, {one: i for i, one in enumerate(table["utterance_id"].to_pylist())}
        return self._shards[path]


def _sha256(path):
    hash = hashlib.sha256()
    with open(path, "rb") as file:
        while data := file.read(1 << 22):
            hash.update(data)
    return hash.hexdigest()


# --------------------------------------------------------------------------------------------------------- training


class Folds:
    """Folds and classes exactly as `lsgmer train` has them: lsgmer cuts them, Python reads what it says."""

    def __init__(self, record):
        self.classes, self.labels, self.protocol = record["classes"], record["labels"], record["protocol"]
        self.folds = {fold["id"]: fold for fold in record["folds"]}

    @classmethod
    def read(cls, path):
        """`path`: what `lsgmer manifest folds --json` printed."""
        return cls(json.loads(Path(path).read_text()))

    def ids(self, fold, part):
        """Ids of `train`, `dev` or `test` of a fold, in the manifest's order."""
        return self.folds[fold][part]


class Utterances(torch.utils.data.Dataset if torch else object):
    """A part of a fold as a torch Dataset: {"id", "label", and for each feature its tensor [n, dim]}.

    features: {name: FeatureSet}. Utterances that lack one are an error, or left out with missing="drop" (see `dropped`).
    """

    def __init__(self, features, folds, fold, part, missing="error"):
        self.features, self.labels = features, folds.labels
        wanted = folds.ids(fold, part)
        self.ids = [id for id in wanted if all(id in one for one in features.values())]
        self.dropped = sorted(set(wanted) - set(self.ids))
        if self.dropped and missing != "drop":
            raise StoreError(f"{len(self.dropped)} of {len(wanted)} utterances lack a feature (first: {self.dropped[0]}): missing='drop' leaves them out")

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, i):
        id = self.ids[i]
        # a copy: PyTorch wants memory that may be written to, and the shard is mapped read-only
        rows = {name: torch.from_numpy(np.array(one[id].values)) for name, one in self.features.items()}
        return {"id": id, "label": self.labels[id], **rows}

    def lengths(self, name=None):
        """Steps of each utterance, of the named or else the first feature: for `LengthBuckets`."""
        features = self.features[name or next(iter(self.features))]
        return [features.length(id) for id in self.ids]


class LengthBuckets:
    """Batches of similar lengths, as indices (a torch batch sampler): little padding, another order each epoch."""

    def __init__(self, lengths, batch_size, seed=0, noise=0.1, drop_last=False):
        self.lengths, self.batch_size, self.seed, self.noise, self.drop_last = lengths, batch_size, seed, noise, drop_last
        self.epoch = 0

    def __len__(self):
        return len(self.lengths) // self.batch_size if self.drop_last else -(-len(self.lengths) // self.batch_size)

    def __iter__(self):
        rng = random.Random(f"{self.seed}/{self.epoch}")
        self.epoch += 1
        jittered = [(n * (1 + self.noise * (2 * rng.random() - 1)), i) for i, n in enumerate(self.lengths)]
        order = [i for _, i in sorted(jittered)]
        batches = [order[at : at + self.batch_size] for at in range(0, len(order), self.batch_size)]
        if self.drop_last and len(batches[-1]) < self.batch_size:
            batches.pop()
        rng.shuffle(batches)
        return iter(batches)


def collate(rows):
    """Pads with zeros: {"ids", "labels" [B], and for each feature name [B, n, dim] and name_lengths [B]}."""
    batch = {"ids": [row["id"] for row in rows], "labels": torch.tensor([row["label"] for row in rows])}
    for name in (key for key in rows[0] if key not in ("id", "label")):
        batch[name] = torch.nn.utils.rnn.pad_sequence([row[name] for row in rows], batch_first=True)
        batch[f"{name}_lengths"] = torch.tensor([len(row[name]) for row in rows])
    return batch


# ---------------------------------------------------------------------------------------------------------- writing


def write_features(store, dataset, feature, kind, rows, computation, *, dtype="float16", part="python", first_seconds=None, step_seconds=None, provenance=None, shard_bytes=SHARD_BYTES):
    """Writes a feature set that lsgmer verifies and trains on; returns its folder.

    rows: an iterable of dicts with id, split (or None), values [n, dim], input (see `input_of`; UNCHECKED without), and
    for text optionally token_ids [n] and token_spans [n, 2] (-1 and 0 without). One row is held at a time, and a batch.
    Ids must be those of the dataset's manifest, where the store has one.
    computation: what decides the numbers (encoder, revision, layer, ...), hashed to the fingerprint.
    Shards and index appear whole or not at all, a call that fails leaves nothing, and one that is killed nothing that counts; values that are not finite, or that
    float16 cannot hold, are an error (dtype="float32" holds up to 3.4e38).
    """
    if xxhash is None:
        raise StoreError("writing needs xxhash: pip install xxhash")
    if dtype not in ("float16", "float32"):
        raise StoreError(f"dtype is {dtype!r}: expected 'float16' or 'float32'")
    known = _Known(store, dataset, len(rows) + 1 if hasattr(rows, "__len__") else MOST_UNKNOWN)
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        raise StoreError("there is no row to write")
    shape = np.shape(first["values"])
    if len(shape) != 2:
        raise StoreError(f"{first['id']}: values of shape {shape}, expected [n, dim]")
    computation = {**computation, "dim": shape[1], "kind": kind, "stored": dtype}
    fingerprint = digest(computation)
    spec = {"format": FORMAT, "dataset": dataset, "feature": feature, "fingerprint": fingerprint, "kind": kind, "dim": shape[1], "dtype": dtype, "firstSeconds": first_seconds, "stepSeconds": step_seconds, "computation": computation, "provenance": {"tool": "lsgmer.py", **(provenance or {})}}
    folder = Path(store) / dataset / feature / fingerprint
    index_path = folder / "index" / f"{part}.json"
    if index_path.exists():
        raise StoreError(f"{index_path} is there already: choose another part=")
    index = {"format": FORMAT, "dataset": dataset, "feature": feature, "fingerprint": fingerprint, "part": part, "shards": [], "utterances": {}, "quarantined": {}}
    made, finished = [], []
    try:
        for below in ("shards", "index"):
            _make_folder(folder / below, made)
            _remove_dead(folder / below)
        _write_shards(_chain(first, rows), folder, spec, shard_bytes, index, finished, known)
        # a killed process leaves nothing that counts until here, and from here on what `lsgmer features repair` completes
        for temporary, path in finished:
            if not path.exists():
                made.append(path)
            os.replace(temporary, path)
        _sync(folder / "shards")
        if not (folder / "feature.json").exists():
            made.append(folder / "feature.json")
            _write_atomic(folder / "feature.json", (json.dumps(spec, indent=2, ensure_ascii=False) + "\n").encode())
        body = canonical(index)
        tail = f',"sha256":"{hashlib.sha256(body.encode()).hexdigest()}"}}\n'
        made.append(index_path)
        _write_atomic(index_path, (body[:-1] + tail).encode())
    except BaseException:
        for temporary, _ in finished:
            temporary.unlink(missing_ok=True)
        _unmake(made)
        raise
    return folder


class _Known:
    """Collects ids that the manifest does not know, so that one error lists them; knows all where there is no manifest."""

    def __init__(self, store, dataset, enough):
        self.dataset, self.enough, self.unknown = dataset, enough, []
        there = (Path(store) / dataset / "manifest.json").exists()
        self.ids = {one["id"] for one in read_manifest([store], dataset)} if there else None

    def has(self, id):
        if self.ids is None or id in self.ids:
            return True
        self.unknown.append(id)
        if len(self.unknown) == self.enough:
            self.refuse(" or more")
        return False

    def refuse(self, more=""):
        if self.unknown:
            shown = ", ".join(map(str, self.unknown[:5])) + (", ..." if len(self.unknown) > 5 else "")
            raise StoreError(f"{len(self.unknown)}{more} of the ids are not in the manifest of {self.dataset} ({shown}): expected ids like {min(self.ids)}")


def _write_shards(rows, folder, spec, shard_bytes, index, finished, known):
    open_shards = {}
    try:
        for row in rows:
            id, split = row["id"], row.get("split")
            if not known.has(id):
                continue
            if id in index["utterances"] or any(id in shard.inputs for shard in open_shards.values()):
                raise StoreError(f"{id} comes twice")
            if split not in open_shards:
                open_shards[split] = _Shard(folder, spec, split)
            open_shards[split].append(row)
            if open_shards[split].bytes >= shard_bytes:
                open_shards[split].finish(index, finished)
                del open_shards[split]
        known.refuse()
        for split in list(open_shards):
            open_shards[split].finish(index, finished)
            del open_shards[split]
    finally:
        for shard in open_shards.values():
            shard.discard()


def _make_folder(folder, made):
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    made += reversed(missing)


def _unmake(made):
    """Takes away what a call made, the last first, until something that others have put there meanwhile."""
    for path in reversed(made):
        try:
            path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
        except OSError:
            return


def _chain(first, rest):
    yield first
    yield from rest


class _Shard:
    def __init__(self, folder, spec, split):
        self.folder, self.spec, self.split = folder, spec, split
        value = pa.field("item", pa.float16() if spec["dtype"] == "float16" else pa.float32(), nullable=False)
        step = pa.field("item", pa.list_(value, spec["dim"]), nullable=False)
        int_list = pa.list_(pa.field("item", pa.int32(), nullable=False))
        columns = [("utterance_id", pa.utf8()), ("n", pa.int32()), ("features", pa.list_(step))]
        if spec["kind"] == "text":
            columns += [("token_ids", int_list), ("token_spans", int_list)]
        columns += [("xxh64", pa.uint64())]
        metadata = {"lsgmer.format": str(FORMAT), "lsgmer.spec": canonical(spec)}
        if split is not None:
            metadata["lsgmer.split"] = split
        self.schema = pa.schema([pa.field(name, type, nullable=False) for name, type in columns], metadata=metadata)
        self.temporary = _temporary(folder / "shards" / "shard.arrow")
        self.file = pa.OSFile(str(self.temporary), "wb")
        self.writer = ipc.new_file(self.file, self.schema)
        self.rows, self.held, self.inputs, self.bytes = 0, [], {}, 0

    def append(self, row):
        id, values = row["id"], np.asarray(row["values"])
        if values.ndim != 2 or values.shape[1] != self.spec["dim"] or len(values) < 1:
            raise StoreError(f"{id}: values of shape {values.shape}, expected [n, {self.spec['dim']}] with n at least 1")
        with np.errstate(over="ignore"):
            stored = np.ascontiguousarray(values, self.spec["dtype"])
        if not np.isfinite(stored).all():
            raise StoreError(f"{id}: {_bad_value(values, stored)}")
        tokens, spans = row.get("token_ids"), row.get("token_spans")
        if self.spec["kind"] == "text":
            tokens = np.full(len(values), -1) if tokens is None else np.asarray(tokens)
            spans = np.zeros((len(values), 2)) if spans is None else np.asarray(spans)
            if tokens.shape != (len(values),) or spans.shape != (len(values), 2):
                raise StoreError(f"{id}: expected {len(values)} token ids and as many spans")
        self.held.append((id, stored, tokens, spans))
        self.inputs[id] = row.get("input", UNCHECKED)
        self.bytes += stored.nbytes
        if len(self.held) == ROWS_PER_BATCH:
            self._write_batch()

    def _write_batch(self):
        ids, values, tokens, spans = zip(*self.held)
        lengths = [len(one) for one in values]
        offsets = pa.array(np.cumsum([0, *lengths]), pa.int32())
        by_name = {name: type for name, type in zip(self.schema.names, self.schema.types)}
        steps = pa.FixedSizeListArray.from_arrays(pa.array(np.concatenate(values).ravel()), type=by_name["features"].value_type)
        columns = [pa.array(ids, pa.utf8()), pa.array(lengths, pa.int32()), pa.ListArray.from_arrays(offsets, steps, type=by_name["features"])]
        if self.spec["kind"] == "text":
            flat = [pa.array(np.concatenate(one).ravel(), pa.int32()) for one in (tokens, spans)]
            twice = pa.array(2 * np.cumsum([0, *lengths]), pa.int32())
            columns += [pa.ListArray.from_arrays(offsets, flat[0], type=by_name["token_ids"]), pa.ListArray.from_arrays(twice, flat[1], type=by_name["token_spans"])]
        hashes = [row_hash(id, value, token) for id, value, token, _ in self.held]
        batch = pa.record_batch([*columns, pa.array(hashes, pa.uint64())], schema=self.schema)
        # with them lsgmer makes an index that is gone anew
        self.writer.write_batch(batch, custom_metadata={"lsgmer.inputs": json.dumps([self.inputs[id] for id in ids])})
        self.rows += len(self.held)
        self.held = []

    def finish(self, index, finished):
        """Ends the file and its entry in the index; its final name, which goes to `finished`, it gets with all the others."""
        if self.held:
            self._write_batch()
        self.writer.close()
        self.file.close()
        _sync(self.temporary)
        buffer = pa.memory_map(str(self.temporary)).read_buffer()
        reader = ipc.open_file(buffer)
        size = np.dtype(self.spec["dtype"]).itemsize
        regions = []
        for b in range(reader.num_record_batches):
            values = reader.get_batch(b).column("features").values.values
            regions.append([values.buffers()[1].address - buffer.address, len(values) * size])
        outside, at, data = xxhash.xxh64(seed=0), 0, memoryview(buffer)
        for start, length in [*regions, [len(data), 0]]:
            outside.update(data[at:start])
            at = start + length
        sha256 = hashlib.sha256(data).hexdigest()
        finished.append((self.temporary, self.folder / "shards" / f"sha256-{sha256}.arrow"))
        index["shards"].append({"sha256": sha256, "split": self.split, "dtype": self.spec["dtype"], "rows": self.rows, "bytes": len(data), "outside": outside.hexdigest(), "values": regions})
        for id, input in self.inputs.items():
            index["utterances"][id] = {"shard": len(index["shards"]) - 1, "input": input}

    def discard(self):
        self.file.close()
        self.temporary.unlink(missing_ok=True)


def _bad_value(values, stored):
    """Words for the first value that is not finite, or is too large for the type that it is stored in."""
    dtype = stored.dtype
    step, dimension = np.argwhere(~np.isfinite(stored if np.isfinite(values).all() else values))[0]
    value = values[step, dimension]
    where = f"at step {step}, dimension {dimension}, it is {value}"
    if not np.isfinite(value):
        return f"{where}: expected a finite number"
    keeps = "; dtype='float32' keeps it" if dtype == np.float16 and abs(value) <= np.finfo("f4").max else ""
    return f"{where}, beyond {dtype}'s range (largest value {np.finfo(dtype).max:g}{keeps})"


_START = int(time.time() * 1000)


def _host():
    return "".join(c if c.isascii() and (c.isalnum() or c == ".") else "_" for c in socket.gethostname())


def _temporary(path):
    """Named as lsgmer names its own, by host, process and start: it takes away what a dead writer left."""
    return path.with_name(f".tmp-{_host()}-{os.getpid()}-{_START}-{secrets.token_hex(4)}-{path.name}")


def _remove_dead(folder):
    """Temporary files of this machine's processes that are no more."""
    if os.name != "posix":  # elsewhere signal 0 is no question
        return
    for path in folder.glob(".tmp-*"):
        _, host, pid, *_ = path.name.split("-")
        if host != _host() or not pid.isdigit():
            continue
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            path.unlink(missing_ok=True)
        except OSError:
            pass


def _write_atomic(path, data):
    temporary = _temporary(path)
    try:
        temporary.write_bytes(data)
        _sync(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync(path.parent)


def _sync(path):
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
