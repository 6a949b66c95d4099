"""A small file by the reference implementation, for packages/train/test/fit/safetensors.test.ts.

Run: python test/golden/safetensors/safetensors_file.py (writes reference.safetensors beside itself).
"""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

tensors = {
    "text.lstm.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 4) / 7,
    "bias": np.array([-1.5, 3e-39, np.float32(np.pi)], dtype=np.float32),
    "scalar": np.array(2.5, dtype=np.float32),
    "audio": np.full((5, 1), -0.0, dtype=np.float32),
}
save_file(tensors, Path(__file__).with_name("reference.safetensors"), metadata={"epoch": "7"})
