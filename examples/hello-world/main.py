"""Greets whom it is told to. Every honest run writes the same bytes, which is what `exact` verification asks for."""

import os
import sys

greeting = f"Hello, {' '.join(sys.argv[1:]) or 'world'}!"
print(greeting)

# What lies in the output folder when the script ends is the result.
os.makedirs("results", exist_ok=True)
with open("results/hello.txt", "w", encoding="utf-8") as file:
    file.write(greeting + "\n")
