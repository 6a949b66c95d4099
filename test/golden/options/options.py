"""Golden values of the trainer's options, from PyTorch, transformers and scikit-learn.

    python test/golden/options/options.py      (torch, transformers, scikit-learn, numpy)
"""
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_class_weight
from transformers import get_constant_schedule_with_warmup, get_cosine_schedule_with_warmup, get_linear_schedule_with_warmup

random = np.random.default_rng(11)
out = {}

# learning rates: 40 updates, warm-up of 0 and of 10
out["schedules"] = []
for warmup in (0, 10):
    for name, make in (
        ("constant", lambda o, w: get_constant_schedule_with_warmup(o, w)),
        ("cosine", lambda o, w: get_cosine_schedule_with_warmup(o, w, 40)),
        ("linear", lambda o, w: get_linear_schedule_with_warmup(o, w, 40)),
    ):
        optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        schedule = make(optimiser, warmup)
        factors = []
        for _ in range(40):
            factors.append(optimiser.param_groups[0]["lr"])
            optimiser.step()
            schedule.step()
        out["schedules"].append({"schedule": name, "warmup": warmup / 40, "factors": factors})

# clipping: three parameters, a norm above and below the limit
gradient = random.normal(size=50)
out["clip"] = {"gradient": gradient.tolist(), "clipped": []}
for limit in (1.0, 100.0):
    parts = [torch.nn.Parameter(torch.zeros(n, dtype=torch.float64)) for n in (20, 25, 5)]
    at = 0
    for part in parts:
        part.grad = torch.tensor(gradient[at : at + part.numel()])
        at += part.numel()
    norm = torch.nn.utils.clip_grad_norm_(parts, limit)
    clipped = torch.cat([p.grad for p in parts]).tolist()
    out["clip"]["clipped"].append({"limit": limit, "norm": norm.item(), "gradient": clipped})

# cross entropy with class weights and label smoothing: losses and gradients of the logits
logits = random.normal(size=(6, 4)) * 2
labels = [0, 3, 1, 1, 2, 0]
weights = [0.5, 2.0, 1.25, 0.75]
out["crossEntropy"] = {"logits": logits.tolist(), "labels": labels, "weights": weights, "cases": []}
for smoothing in (0.0, 0.1):
    for weighted in (False, True):
        x = torch.tensor(logits, requires_grad=True)
        w = torch.tensor(weights, dtype=torch.float64) if weighted else None
        loss = F.cross_entropy(x, torch.tensor(labels), weight=w, label_smoothing=smoothing)
        loss.backward()
        out["crossEntropy"]["cases"].append(
            {"smoothing": smoothing, "weighted": weighted, "loss": loss.item(), "gradient": x.grad.tolist()}
        )

# focal loss, mean over rows
out["focal"] = []
for gamma in (0.5, 2.0):
    x = torch.tensor(logits, requires_grad=True)
    p = F.softmax(x, dim=1)[range(6), labels]
    loss = (-((1 - p) ** gamma) * torch.log(p)).mean()
    loss.backward()
    out["focal"].append({"gamma": gamma, "loss": loss.item(), "gradient": x.grad.tolist()})

# class weights: scikit-learn's `balanced` is inverse frequency with mean 1 over rows
counts = [50, 5, 20, 25]
rows = np.repeat(np.arange(4), counts)
beta = 0.999
effective = np.array([(1 - beta) / (1 - beta**n) for n in counts])
root = 1 / np.sqrt(counts)
scale = lambda w: (w * rows.size / (np.array(counts) * w).sum()).tolist()
out["classWeights"] = {
    "counts": counts,
    "beta": beta,
    "inverse": compute_class_weight("balanced", classes=np.arange(4), y=rows).tolist(),
    "sqrt": scale(root),
    "effective": scale(effective),
}

# standardising: three utterances of 5, 1 and 9 steps; one dimension constant, one far from zero
steps = random.normal(size=(15, 4)).astype(np.float32)
steps[:, 1] = 3.5
steps[:, 2] = steps[:, 2] * 1e-3 + 1e4
scaler = StandardScaler().fit(steps.astype(np.float64))
out["standard"] = {
    "steps": steps.tolist(),
    "lengths": [5, 1, 9],
    "mean": scaler.mean_.tolist(),
    "sd": scaler.scale_.tolist(),
}

# AdamW without decay on the bias: parameter groups
weight = torch.nn.Parameter(torch.tensor([[0.5, -1.0], [0.25, 2.0]], dtype=torch.float64))
bias = torch.nn.Parameter(torch.tensor([1.0, -0.5], dtype=torch.float64))
optimiser = torch.optim.AdamW(
    [{"params": [weight], "weight_decay": 0.1}, {"params": [bias], "weight_decay": 0.0}], lr=0.05
)
for step in range(3):
    weight.grad = torch.full_like(weight, 0.1 * (step + 1))
    bias.grad = torch.full_like(bias, -0.2)
    optimiser.step()
out["decay"] = {"weight": weight.flatten().tolist(), "bias": bias.tolist()}

Path(__file__).with_name("options.json").write_text(json.dumps(out) + "\n")
