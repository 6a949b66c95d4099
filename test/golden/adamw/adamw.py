"""Writes adamw.json: 20 steps of torch.optim.AdamW in float64, one group with weight decay and one without.

    python test/golden/adamw/adamw.py

`parameters` and `gradients` (one row a step) are values that float32 holds exactly; `after` holds the parameters
after every step, `first` and `second` the moments after the last one.
"""

import json
from pathlib import Path

import torch

STEPS, DECAYED, UNDECAYED = 20, 5, 3
OPTIONS = {"lr": 0.05, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "decay": 0.1}

torch.manual_seed(3)
start = torch.randn(DECAYED + UNDECAYED).double()
gradients = torch.randn(STEPS, DECAYED + UNDECAYED).double() * torch.logspace(-6, 2, DECAYED + UNDECAYED).double()
gradients[:, 1] = 0  # a parameter that never gets a gradient: only its decay moves it
gradients = gradients.float().double()

decayed = start[:DECAYED].clone().requires_grad_()
undecayed = start[DECAYED:].clone().requires_grad_()
groups = [{"params": [decayed], "weight_decay": OPTIONS["decay"]}, {"params": [undecayed], "weight_decay": 0.0}]
optimiser = torch.optim.AdamW(groups, lr=OPTIONS["lr"], betas=(OPTIONS["beta1"], OPTIONS["beta2"]), eps=OPTIONS["eps"])
after = []
for g in gradients:
    decayed.grad, undecayed.grad = g[:DECAYED].clone(), g[DECAYED:].clone()
    optimiser.step()
    after.append(torch.cat([decayed, undecayed]).tolist())
states = [optimiser.state[p] for p in (decayed, undecayed)]
out = {
    "torch": torch.__version__.split("+")[0],
    "options": OPTIONS,
    "decayed": DECAYED,
    "parameters": start.tolist(),
    "gradients": gradients.tolist(),
    "after": after,
    "first": torch.cat([s["exp_avg"] for s in states]).tolist(),
    "second": torch.cat([s["exp_avg_sq"] for s in states]).tolist(),
}
path = Path(__file__).with_suffix(".json")
path.write_text(json.dumps(out, separators=(",", ":")) + "\n")
print(path.name, path.stat().st_size, "bytes")
