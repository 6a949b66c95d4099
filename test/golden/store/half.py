"""float32 to float16 and back as numpy does it, for packages/datasets/src/store/half.ts.

    python test/golden/store/half.py

half.json holds pairs of bits for chosen values, and sha256 sums over whole ranges: every finite float16 decoded;
and every midpoint of two neighbouring float16 values with the float32 values next to it on either side, encoded.
"""

import hashlib
import json
from pathlib import Path

import numpy as np

LIMIT = np.float32(65504)


def bits(values):
    return values.view(np.uint32)


def encode(values):
    return values.astype(np.float16).view(np.uint16)


def sha256(array):
    return hashlib.sha256(array.astype(array.dtype.newbyteorder("<")).tobytes()).hexdigest()


every = np.arange(65536, dtype=np.uint32).astype(np.uint16).view(np.float16)
finite = every[np.isfinite(every)]

positive = np.sort(finite[finite >= 0])[1:].astype(np.float32)  # without -0, which sorts beside 0
middle = (positive[:-1] + positive[1:]) / 2  # exact in float32
around = np.concatenate([np.nextafter(middle, np.float32(0)), middle, np.nextafter(middle, np.float32(np.inf))])
around = np.concatenate([around, -around])
assert np.abs(around).max() < LIMIT

rng = np.random.default_rng(1)
chosen = np.concatenate(
    [
        np.float32([0.0, -0.0, 1, -1, 65504, -65504, 65503.996, 2**-14, 2**-24, 2**-25, 1e-45, 1.1754944e-38, 0.1, 1 / 3]),
        rng.standard_normal(100).astype(np.float32) * np.float32(2.0) ** rng.integers(-30, 12, 100).astype(np.float32),
    ]
)

golden = {
    "numpy": np.__version__,
    "chosen": [[int(b), int(h)] for b, h in zip(bits(chosen), encode(chosen))],
    "decodedFinite": {"count": len(finite), "sha256": sha256(bits(finite.astype(np.float32)))},
    "encodedAroundMidpoints": {"count": len(around), "sha256": sha256(encode(around))},
}
(Path(__file__).parent / "half.json").write_text(json.dumps(golden) + "\n")
