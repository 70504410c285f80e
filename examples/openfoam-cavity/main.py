"""Computes the flow of a fluid in a square cavity whose lid moves, with OpenFOAM's icoFoam.

The replicas are compared by the mean kinetic energy of the fluid (J/kg); the fields, the solver's residuals by step and
the velocities along the cavity's middle come along. A run whose last residuals are too large fails.
"""

import json
import os
import re
import shutil
import subprocess

import numpy as np

CELLS = 20
# The settled flow's first residuals; a solver that stops early or diverges leaves larger ones.
MOST_RESIDUAL = 1e-5

environment = {**os.environ, "WM_PROJECT_DIR": "/usr/share/openfoam", "FOAM_SIGFPE": "true"}


def foam(program):
    ended = subprocess.run([program, "-case", "run"], env=environment, capture_output=True, text=True)
    if ended.returncode != 0:
        raise SystemExit(f"{program} ended with {ended.returncode}:\n{ended.stdout[-3000:]}{ended.stderr[-3000:]}")
    return ended.stdout


def field(name):
    """The values of the last time's cells."""
    with open(f"run/0.5/{name}", encoding="utf-8") as file:
        text = file.read()
    count, values = re.search(r"internalField\s+nonuniform List<\w+>\s*(\d+)\s*\((.*?)\n\)\s*;", text, re.S).groups()
    table = np.array([line.strip("()").split() for line in values.strip().split("\n")], dtype=float)
    assert len(table) == int(count) == CELLS * CELLS
    return table


# The inputs are read-only, and the solver writes beside them.
shutil.copytree("case", "run", copy_function=shutil.copyfile)
foam("blockMesh")
log = foam("icoFoam")

rows = []
for step in re.split(r"^Time = ", log, flags=re.M)[1:]:
    time = float(step.split("\n", 1)[0])
    first = {}
    for name, residual in re.findall(r"Solving for (\w+), Initial residual = (\S+),", step):
        first.setdefault(name, float(residual))
    rows.append((time, first["Ux"], first["Uy"], first["p"]))

velocity, pressure = field("U"), field("p")
kinetic = float(np.mean(np.sum(velocity**2, axis=1)) / 2)
grid = velocity.reshape(CELLS, CELLS, 3)
middle = (grid[:, CELLS // 2 - 1] + grid[:, CELLS // 2]) / 2
last = max(rows[-1][1:])
print(f"{len(rows)} steps, last residual {last:.2e}, kinetic energy {kinetic:.6f} J/kg, least u {middle[:, 0].min():.5f} m/s")
if not last < MOST_RESIDUAL:
    raise SystemExit(f"the flow has not settled: a residual of {last}")

os.makedirs("results", exist_ok=True)
with open("results/residuals.csv", "w", encoding="utf-8") as file:
    file.write("time_s,ux,uy,p\n")
    file.writelines(f"{time:g},{ux:.6e},{uy:.6e},{p:.6e}\n" for time, ux, uy, p in rows)
with open("results/middle.csv", "w", encoding="utf-8") as file:
    file.write("y_m,u_m_s,v_m_s\n")
    file.writelines(f"{(i + 0.5) * 0.1 / CELLS:.4f},{u:.8f},{v:.8f}\n" for i, (u, v, _) in enumerate(middle))
for name in ("U", "p"):
    shutil.copyfile(f"run/0.5/{name}", f"results/{name}.foam")
with open("results/metrics.json", "w", encoding="utf-8") as file:
    json.dump(
        {
            "kinetic_energy": kinetic,
            "least_middle_u": float(middle[:, 0].min()),
            "pressure_range": float(np.ptp(pressure)),
            "last_residual": last,
        },
        file,
    )
