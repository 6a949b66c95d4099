"""Scores of random and degenerate predictions by scikit-learn, for packages/train/test/evaluate/metrics.test.ts.

Run: python test/golden/metrics/metrics.py (writes metrics.json beside itself; scikit-learn 1.9, numpy).
"""

import json
import warnings
from pathlib import Path

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
)

warnings.filterwarnings("ignore")


def case(name, truth, prediction, classes):
    """A prediction of -1 is none at all: a class of its own for scikit-learn, outside every average."""
    truth, prediction = [int(x) for x in truth], [int(x) for x in prediction]
    labels = list(range(classes))
    seen = sorted((set(truth) | set(prediction)) - {-1})
    p, r, f, s = precision_recall_fscore_support(truth, prediction, labels=labels, zero_division=0)
    return {
        "name": name,
        "classes": classes,
        "truth": truth,
        "prediction": prediction,
        "wa": float(accuracy_score(truth, prediction)),
        "ua": float(balanced_accuracy_score(truth, prediction)),
        "wf1": float(f1_score(truth, prediction, average="weighted", labels=labels, zero_division=0)),
        "mf1": float(f1_score(truth, prediction, average="macro", labels=seen, zero_division=0)),
        "precision": p.tolist(),
        "recall": r.tolist(),
        "f1": f.tolist(),
        "support": s.tolist(),
        "confusion": confusion_matrix(truth, prediction, labels=labels).tolist(),
    }


def main():
    rng = np.random.default_rng(20250408)
    cases = []
    for i in range(20):
        classes = int(rng.integers(2, 9))
        n = int(rng.integers(1, 120))
        weights = rng.dirichlet(np.full(classes, 0.7))
        truth = rng.choice(classes, n, p=weights)
        noise = rng.integers(0, classes, n)
        prediction = np.where(rng.random(n) < rng.random(), truth, noise)
        cases.append(case(f"random {i}", truth, prediction, classes))
    cases.append(case("all right", [0, 1, 2, 3], [0, 1, 2, 3], 4))
    cases.append(case("all wrong", [0, 1, 2, 3], [1, 2, 3, 0], 4))
    cases.append(case("always the first class", [0, 1, 2, 3, 1, 1], [0] * 6, 4))
    cases.append(case("one utterance, right", [2], [2], 4))
    cases.append(case("one utterance, wrong", [2], [1], 4))
    cases.append(case("truth of one class", [1] * 7, [1, 1, 0, 2, 1, 3, 1], 4))
    cases.append(case("a class in neither", [0, 0, 1, 1, 3], [0, 1, 1, 3, 3], 5))
    cases.append(case("predicted class absent from truth", [0, 0, 1, 1], [0, 2, 2, 1], 3))
    cases.append(case("nothing of the truth predicted", [0, 0, 1], [2, 2, 2], 3))
    for i in range(4):
        truth = rng.integers(0, 4, 60)
        prediction = np.where(rng.random(60) < 0.6, truth, rng.integers(-1, 4, 60))
        cases.append(case(f"some without prediction {i}", truth, prediction, 4))
    cases.append(case("none predicted", [0, 1, 1], [-1, -1, -1], 2))
    sd = [float(x) for x in rng.normal(70, 2, 5)]
    spread = {"values": sd, "mean": float(np.mean(sd)), "sd": float(np.std(sd, ddof=1))}
    path = Path(__file__).with_name("metrics.json")
    path.write_text(json.dumps({"cases": cases, "spread": spread}) + "\n")


main()
