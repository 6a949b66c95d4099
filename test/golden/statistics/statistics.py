"""Special functions, exact tests and combined standard errors, for packages/train/test/statistics.

Run: python test/golden/statistics/statistics.py (writes statistics.json beside itself; numpy, scipy 1.16).
"""

import json
from pathlib import Path

import numpy as np
from scipy import stats


def estimate(observed, drawn, units_df):
    """Mean over seeds: variance of the mean from a two-way layout of seeds and units (see docs/statistics.md)."""
    seeds = len(observed)
    covariance = np.atleast_2d(np.cov(drawn))
    units = float(np.var(drawn.mean(axis=0), ddof=1))
    if seeds == 1:
        variance, df = units, units_df
    else:
        shared = float(covariance[~np.eye(seeds, dtype=bool)].mean())
        own = float(np.var(observed, ddof=1)) / seeds
        variance, df = units, units_df
        if own + shared > units:
            variance = own + shared
            df = variance**2 / (own**2 / (seeds - 1) + shared**2 / units_df)
    se = variance**0.5
    value = float(np.mean(observed))
    half = stats.t.ppf(0.975, df) * se
    return {
        "value": value,
        "se": se,
        "df": float(df),
        "interval": [value - half, value + half],
        "p": float(2 * stats.t.sf(abs(value) / se, df)),
        "detectable": float((stats.t.ppf(0.975, df) + stats.t.ppf(0.8, df)) * se),
    }


def main():
    rng = np.random.default_rng(11)
    quantiles = [
        {"p": p, "df": df, "t": float(stats.t.ppf(p, df))}
        for df in (1, 1.3, 2, 2.7, 4, 8.5, 30, 145.2, 1000)
        for p in (0.2, 0.55, 0.8, 0.975, 0.995)
    ]
    tails = [
        {"t": t, "df": df, "p": float(2 * stats.t.sf(abs(t), df))}
        for df in (1, 2, 3.3, 12.5, 146)
        for t in (0, 0.3, -1.7, 2.5, 6, 20)
    ]
    signs = [
        {"k": k, "n": n, "p": float(stats.binomtest(k, n).pvalue) if n else 1.0}
        for k, n in ((0, 0), (0, 1), (3, 6), (2, 10), (10, 10), (57, 91), (140, 300), (700, 1400), (650, 1400), (2400, 5000))
    ]
    cases = []
    for name, seeds, shared, own, between in (
        ("one seed", 1, 1.0, 0.5, 0),
        ("quiet seeds", 5, 1.0, 0.3, 0.1),
        ("loud seeds", 3, 1.0, 0.3, 3.0),
        ("nothing shared", 4, 0.0, 1.0, 0.5),
        ("loud seeds, nothing shared", 2, 0.0, 1.0, 4.0),
    ):
        observed = 0.004 + 0.004 * between * rng.normal(size=seeds)
        drawn = observed[:, None] + 0.004 * (shared * rng.normal(size=50) + own * rng.normal(size=(seeds, 50)))
        found = estimate(observed, drawn, 146)
        cases.append({"name": name, "observed": observed.tolist(), "drawn": drawn.tolist(), "unitsDf": 146, **found})
    path = Path(__file__).with_name("statistics.json")
    path.write_text(json.dumps({"quantiles": quantiles, "tails": tails, "signs": signs, "estimates": cases}) + "\n")


main()
