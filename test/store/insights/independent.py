"""Insights computed by others: reads {task, …} as JSON from standard input, writes the answer."""
import json
import sys

import numpy as np
from scipy import stats


def describe(values):
    v = np.array(values, dtype=float)
    q = np.quantile(v, [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1])
    return {
        "n": len(v),
        "mean": float(v.mean()),
        "deviation": float(v.std(ddof=1)) if len(v) > 1 else None,
        **dict(zip(["minimum", "p5", "q1", "median", "q3", "p95", "maximum"], map(float, q))),
    }


def stability(p, q):
    p, q = np.array(p) + 0.5, np.array(q) + 0.5
    p, q = p / p.sum(), q / q.sum()
    return float(((p - q) * np.log(p / q)).sum())


def drift_of_numbers(reference, window):
    edges = np.quantile(reference, np.arange(1, 10) / 10, method="inverted_cdf")
    edges = [e for e in np.unique(edges) if e != max(reference)]
    cut = lambda values: np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1)
    test = stats.ks_2samp(reference, window)
    n, m = len(reference), len(window)
    probability = stats.kstwobign.sf(test.statistic * np.sqrt(n * m / (n + m)))
    return {"stability": stability(cut(window), cut(reference)), "statistic": float(test.statistic), "probability": float(probability)}


def drift_of_categories(reference, window):
    names = sorted(set(reference) | set(window))
    table = np.array([[side.count(name) for name in names] for side in (reference, window)])
    test = stats.chi2_contingency(table, correction=False)
    return {"stability": stability(table[1], table[0]), "statistic": float(test[0]), "probability": float(test[1])}


def wilson(hits, of):
    interval = stats.binomtest(hits, of).proportion_ci(method="wilson")
    return {"low": float(interval.low), "high": float(interval.high)}


asked = json.load(sys.stdin)
answers = {
    "describe": lambda a: {key: describe(values) for key, values in a["groups"].items()},
    "numbers": lambda a: drift_of_numbers(a["reference"], a["window"]),
    "categories": lambda a: drift_of_categories(a["reference"], a["window"]),
    "wilson": lambda a: wilson(a["hits"], a["of"]),
    "line": lambda a: {
        "slope": float(stats.linregress(a["x"], a["y"]).slope),
        "growth": float(stats.linregress(a["x"], np.log(a["y"])).slope),
    },
}
print(json.dumps([answers[one["task"]](one) for one in asked]))
