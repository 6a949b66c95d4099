"""The pyarrow side of store-read.mjs: shards memory-mapped, each row a zero-copy numpy view, copied into one buffer.

Two ways: `rows` takes each row out of the table when it is asked for, as a Dataset would; `views` has made the
numpy views of all rows before the clock starts, so that nothing but copying is timed: no reader does less.
Answers lines on standard input: `check <way>` -> sha256 of all batches, `run <way> <k>` -> milliseconds of k
passes, `memory` -> peak MiB.
"""

import hashlib
import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc

shards, plan = sys.argv[1:]
places = {}
for path in sorted(Path(shards).glob("*.arrow")):
    table = ipc.open_file(pa.memory_map(str(path))).read_all()
    for r, id in enumerate(table["utterance_id"].to_pylist()):
        places[id] = (table["features"], r)


def row(id):
    column, r = places[id]
    steps = column[r].values
    return steps.flatten().to_numpy(zero_copy_only=True).reshape(len(steps), -1)  # [n, dim]


views = {id: row(id) for id in places}
WAYS = {"rows": row, "views": views.__getitem__}

batches = json.loads(Path(plan).read_text())
dim = next(iter(views.values())).shape[1]
largest = max(len(ids) * max(len(views[id]) for id in ids) for ids in batches)
pool = np.empty(largest * dim, np.float16)


def assemble(ids, way):
    taken = [WAYS[way](id) for id in ids]
    longest = max(len(view) for view in taken)
    out = pool[: len(ids) * longest * dim].reshape(len(ids), longest, dim)
    for i, view in enumerate(taken):
        n = len(view)
        out[i, :n] = view
        out[i, n:] = 0
    return out


for line in sys.stdin:
    command, *arguments = line.split()
    if command == "check":
        digest = hashlib.sha256()
        for ids in batches:
            digest.update(assemble(ids, arguments[0]))
        answer = {"sha256": digest.hexdigest()}
    elif command == "run":
        ms = []
        for _ in range(int(arguments[1])):
            started = time.perf_counter()
            for ids in batches:
                assemble(ids, arguments[0])
            ms.append((time.perf_counter() - started) * 1000)
        answer = {"ms": ms}
    else:
        answer = {"mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}
    print(json.dumps(answer), flush=True)
