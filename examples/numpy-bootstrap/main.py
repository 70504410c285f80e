"""Bootstraps one quantity of a table: unit n takes the n-th of the mean, the median, the spread and the correlation.

The rows of data/growth.csv are drawn again with replacement, many times; the quantity's estimate and the percentile
interval follow. The draws follow from the unit's seed, so that replicas of a unit draw alike; they are compared by the
upper end of the interval, which needs all draws.
"""

import argparse
import json
import os

import numpy as np

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--resamples", type=int, default=4000)
parser.add_argument("--level", type=float, default=0.95)
options = parser.parse_args()

table = np.genfromtxt("data/growth.csv", delimiter=",", names=True)
rows = np.stack([table["light"], table["growth"]], axis=1)


def correlation(sample):
    """Pearson's, along the second last axis."""
    centred = sample - sample.mean(axis=-2, keepdims=True)
    light, growth = centred[..., 0], centred[..., 1]
    return (light * growth).sum(axis=-1) / np.sqrt((light**2).sum(axis=-1) * (growth**2).sum(axis=-1))


quantities = {
    "mean": lambda sample: sample[..., 1].mean(axis=-1),
    "median": lambda sample: np.median(sample[..., 1], axis=-1),
    "spread": lambda sample: sample[..., 1].std(axis=-1, ddof=1),
    "correlation": correlation,
}
name = list(quantities)[int(os.environ.get("ASSAY_UNIT_ORDINAL", "0")) % len(quantities)]
quantity = quantities[name]

generator = np.random.default_rng(int(os.environ.get("ASSAY_SEED", "1979")))
draws = np.concatenate(
    [quantity(rows[generator.integers(0, len(rows), (500, len(rows)))]) for _ in range(options.resamples // 500)]
)
tail = (1 - options.level) / 2
lower, upper = np.quantile(draws, [tail, 1 - tail])
estimate = float(quantity(rows))
print(f"{name}: {estimate:.4f}, {options.level:.0%} between {lower:.4f} and {upper:.4f} in {len(draws)} draws")

os.makedirs("results", exist_ok=True)
result = {"estimate": estimate, "lower": float(lower), "upper": float(upper), "standard_error": float(draws.std(ddof=1))}
with open("results/quantity.json", "w", encoding="utf-8") as file:
    json.dump({"quantity": name, "draws": len(draws), **result}, file)
with open("results/metrics.json", "w", encoding="utf-8") as file:
    json.dump(result, file)
