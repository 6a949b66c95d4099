"""Writes lstm.json: torch.nn.LSTM, one bidirectional layer on packed sequences, in float64, with gradients.

    python test/golden/lstm/lstm.py

Each case holds lengths, x [B, n, Din], the weights in torch's own layout, and for the objective sum(y * dy) the
output y [B, n, 2h] and the gradients of x and of every weight. A row of length 0, which torch cannot pack, is left
out of the packing; its outputs and gradients are zero.
"""

import json
from pathlib import Path

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

CASES = [
    {"name": "ragged", "lengths": [7, 1, 4, 0, 6], "steps": 7, "inputs": 4, "hidden": 3},
    {"name": "one step", "lengths": [1, 1, 0], "steps": 1, "inputs": 3, "hidden": 2},
    {"name": "longer than any row", "lengths": [3, 5], "steps": 9, "inputs": 2, "hidden": 4},
    {"name": "single row", "lengths": [6], "steps": 6, "inputs": 5, "hidden": 3},
]


def rounded(t):
    """Values that float32 holds exactly, so that both sides start from the same numbers."""
    return t.float().double()


def numbers(t):
    return [float(f"{v:.9g}") for v in t.detach().flatten().tolist()]


def run(case, seed):
    torch.manual_seed(seed)
    lengths = torch.tensor(case["lengths"])
    rows, steps, inputs, hidden = len(lengths), case["steps"], case["inputs"], case["hidden"]
    lstm = torch.nn.LSTM(inputs, hidden, batch_first=True, bidirectional=True).double()
    with torch.no_grad():
        for p in lstm.parameters():
            p.copy_(rounded(torch.randn_like(p)))  # large enough to bend every gate
    x = rounded(torch.randn(rows, steps, inputs, dtype=torch.float64)).requires_grad_()
    dy = rounded(torch.randn(rows, steps, 2 * hidden, dtype=torch.float64))
    real = lengths > 0
    packed = pack_padded_sequence(x[real], lengths[real], batch_first=True, enforce_sorted=False)
    some, _ = pad_packed_sequence(lstm(packed)[0], batch_first=True, total_length=steps)
    y = torch.zeros(rows, steps, 2 * hidden, dtype=torch.float64)
    y[real] = some
    (y * dy).sum().backward()
    weights = {name: {"shape": list(p.shape), "values": numbers(p), "gradient": numbers(p.grad)} for name, p in lstm.named_parameters()}
    return {**case, "x": numbers(x), "dy": numbers(dy), "y": numbers(y), "dx": numbers(x.grad), "weights": weights}


cases = [run(case, 10 + i) for i, case in enumerate(CASES)]
path = Path(__file__).with_suffix(".json")
path.write_text(json.dumps({"torch": torch.__version__.split("+")[0], "cases": cases}, separators=(",", ":")) + "\n")
print(path.name, path.stat().st_size, "bytes")
