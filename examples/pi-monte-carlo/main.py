"""Estimates pi: throws points into the unit square and counts those inside the quarter circle.

The job is split into units. Each unit runs this script with its number in ASSAY_UNIT_ORDINAL and, because the manifest
sets a random seed, with a seed of its own in ASSAY_SEED, so that no two units throw the same points.
"""

import argparse
import json
import os
import random

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--points", type=int, default=1_000_000)
points = parser.parse_args().points

ordinal = int(os.environ["ASSAY_UNIT_ORDINAL"])
units = int(os.environ["ASSAY_UNITS"])
draw = random.Random(int(os.environ["ASSAY_SEED"])).random

inside = 0
for _ in range(points):
    x = draw()
    y = draw()
    if x * x + y * y < 1.0:
        inside += 1

pi = 4 * inside / points
print(f"unit {ordinal + 1} of {units}: {inside} of {points} points inside, pi is about {pi}")

os.makedirs("results", exist_ok=True)
# The metric that replicas of this unit are compared by.
with open("results/metrics.json", "w", encoding="utf-8") as file:
    json.dump({"pi": pi}, file)
# What the merge script adds up.
with open("results/points.json", "w", encoding="utf-8") as file:
    json.dump({"inside": inside, "points": points}, file)
