"""Calibration, silhouette and quantiles as scikit-learn and numpy have them.

    .venv/bin/python test/golden/report/measures.py
"""

import json
from pathlib import Path

import numpy as np
from sklearn.metrics import brier_score_loss, log_loss, silhouette_score
from sklearn.metrics.pairwise import cosine_similarity

rng = np.random.default_rng(7)
n, classes = 120, 4
truth = rng.integers(0, classes, n)
logits = rng.normal(size=(n, classes)) + 2.0 * np.eye(classes)[truth]
p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
p = np.round(p, 9)
guess = p.argmax(1)
confidence = p.max(1)

# the definition of Guo et al. (2017): bins (0, 0.1], (0.1, 0.2], ...
edges = np.linspace(0, 1, 11)
ece = 0.0
for low, high in zip(edges[:-1], edges[1:]):
    inside = (confidence > low) & (confidence <= high)
    if inside.any():
        ece += inside.mean() * abs((guess[inside] == truth[inside]).mean() - confidence[inside].mean())

vectors = rng.normal(size=(40, 6)).astype(np.float32) + 1.5 * np.eye(6)[truth[:40]].astype(np.float32)
table = rng.normal(size=(classes, 6)).astype(np.float32)
moved = (table + 0.1 * rng.normal(size=table.shape)).astype(np.float32)
weights = rng.uniform(size=23).astype(np.float32)

out = {
    "truth": truth.tolist(),
    "probabilities": p.tolist(),
    "ece": ece,
    "nll": log_loss(truth, p, labels=list(range(classes))),
    "brier": brier_score_loss(truth, p, labels=list(range(classes)), scale_by_half=False),
    "vectors": vectors.tolist(),
    "silhouette": float(silhouette_score(vectors, truth[:40])),
    "table": table.tolist(),
    "moved": moved.tolist(),
    "cosines": cosine_similarity(table.astype(np.float64)).tolist(),
    "movement": float(np.linalg.norm(moved.astype(np.float64) - table) / np.linalg.norm(table.astype(np.float64))),
    "weights": weights.tolist(),
    "quantiles": [float(np.quantile(weights.astype(np.float64), q)) for q in (0.05, 0.25, 0.5, 0.75, 0.95)],
    "sd": float(weights.astype(np.float64).std(ddof=1)),
}
Path(__file__).with_name("measures.json").write_text(json.dumps(out) + "\n")
