"""The project's seeded numbers (packages/datasets/src/base/rng.ts, packages/extract/src/encoders/weight-source.ts)
in Python, so that both sides build the same random model from nothing but names and shapes."""

import json
import math
import re
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).parent
MASK = 0xFFFFFFFF


def imul(a, b):
    return (a * b) & MASK


def words(text):
    h = 1779033703 ^ len(text)
    for character in text:
        h = imul(h ^ ord(character), 3432918353)
        h = ((h << 13) | (h >> 19)) & MASK
    while True:
        h = imul(h ^ (h >> 16), 2246822507)
        h = imul(h ^ (h >> 13), 3266489909)
        h ^= h >> 16
        yield h


class Rng:
    """sfc32"""

    def __init__(self, *key):
        seed = words("\0".join(str(part) for part in key))
        self.a, self.b, self.c, self.d = next(seed), next(seed), next(seed), 1
        for _ in range(15):
            self.uint32()

    def uint32(self):
        t = (self.a + self.b + self.d) & MASK
        self.d = (self.d + 1) & MASK
        self.a = self.b ^ (self.b >> 9)
        self.b = (self.c + (self.c << 3)) & MASK
        self.c = ((self.c << 21) | (self.c >> 11)) & MASK
        self.c = (self.c + t) & MASK
        return t


def spread(name):
    """Mean and standard deviation by name; the test has the same rule."""
    if re.search(r"norm\.weight$", name, re.IGNORECASE) or name.endswith("gru_rel_pos_const"):
        return 1.0, 0.3
    if name.endswith("rel_attn_embed.weight"):
        return 0.0, 1.0
    if name.startswith("input"):
        return 0.0, 1.0
    if name.startswith("picture"):
        return 0.5, 0.25
    return 0.0, 0.15 if name.endswith("bias") else 0.3


def tensor(seed, name, shape):
    rng = Rng("weights", seed, name)
    mean, sd = spread(name)
    scale = sd * math.sqrt(3)
    values = []
    for _ in range(math.prod(shape)):
        total = 0.0
        for _ in range(4):
            total += rng.uint32() / 4294967296
        values.append(mean + scale * (total - 2))
    return torch.from_numpy(np.array(values, dtype=np.float32).reshape(tuple(shape)))


def fill(model, seed):
    """Every parameter from the seed and its name; weight norm so that the resolved weight has the plain name's values."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            norm = re.fullmatch(r"(.*)\.parametrizations\.weight\.original([01])", name)
            if norm is None:
                parameter.copy_(tensor(seed, name, parameter.shape))
                continue
            direction = tensor(seed, norm[1] + ".weight", model.state_dict()[norm[1] + ".parametrizations.weight.original1"].shape)
            parameter.copy_(direction if norm[2] == "1" else direction.norm(dim=(0, 1), keepdim=True))
    return model.eval()


def digits(values):
    return [float(f"{value:.7g}") for value in values.detach().numpy().ravel()]


def write(name, value):
    (HERE / name).write_text(json.dumps(value, separators=(",", ":")) + "\n", encoding="utf-8")
