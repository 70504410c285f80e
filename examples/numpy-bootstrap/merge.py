"""Puts the quantities of all units into one table: unit n's files lie in inputs/<n, four digits>/."""

import json
import os

found = []
for unit in sorted(os.listdir("inputs")):
    with open(f"inputs/{unit}/quantity.json", encoding="utf-8") as file:
        found.append(json.load(file))

os.makedirs("results", exist_ok=True)
with open("results/summary.csv", "w", encoding="utf-8") as file:
    file.write("quantity,estimate,lower,upper,standard_error,draws\n")
    for row in found:
        numbers = ",".join(f"{row[key]:.6f}" for key in ("estimate", "lower", "upper", "standard_error"))
        file.write(f"{row['quantity']},{numbers},{row['draws']}\n")
        print(f"{row['quantity']}: {row['estimate']:.4f} ({row['lower']:.4f} to {row['upper']:.4f})")
