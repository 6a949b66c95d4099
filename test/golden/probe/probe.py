"""Probabilities of scikit-learn's logistic regression on standardised features, for packages/train/test/probe.

Run: python test/golden/probe/probe.py (writes probe.json beside itself; scikit-learn 1.9, numpy).
"""

import json
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def case(rng, name, classes, dim, train, test, C=1.0, constant=False, apart=1.0, unseen=False):
    centres = apart * rng.normal(size=(classes, dim))
    labels = rng.integers(0, classes, train + test)
    if unseen:
        labels[:train] = labels[:train] % (classes - 1)
    scale, shift = rng.uniform(0.1, 30, dim), 5 * rng.normal(size=dim)
    x = np.round((centres[labels] + rng.normal(size=(train + test, dim))) * scale + shift, 4)
    if constant:
        x[:, 1] = 0.1
    model = make_pipeline(StandardScaler(), LogisticRegression(C=C, tol=1e-10, max_iter=100000))
    model.fit(x[:train], labels[:train])
    p = np.zeros((test, classes))
    p[:, model.classes_] = model.predict_proba(x[train:])
    return {
        "name": name,
        "classes": classes,
        "dim": dim,
        "train": train,
        "C": C,
        "values": x.ravel().tolist(),
        "labels": labels.tolist(),
        "probabilities": [[round(float(v), 8) for v in row] for row in p],
    }


def main():
    rng = np.random.default_rng(3)
    cases = [
        case(rng, "four classes", 4, 6, 80, 30),
        case(rng, "seven classes, overlapping", 7, 5, 150, 20, apart=0.3),
        case(rng, "two classes", 2, 4, 40, 20),
        case(rng, "more dimensions than rows", 4, 40, 25, 10),
        case(rng, "a constant feature", 3, 4, 50, 10, constant=True),
        case(rng, "separable, weak penalty", 3, 3, 30, 10, C=100.0, apart=5.0),
        case(rng, "strong penalty", 3, 5, 60, 10, C=0.01),
    ]
    Path(__file__).with_name("probe.json").write_text(json.dumps(cases) + "\n")


main()
