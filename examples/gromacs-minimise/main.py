"""Minimises the potential energy of a small box of water with GROMACS.

The system is made here: side^3 molecules of flexible SPC water on a lattice, each turned by the job's random seed. The
replicas of the unit are compared by the potential energy (kJ/mol) that steepest descent ends at.
"""

import argparse
import json
import os
import subprocess

import numpy as np

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--side", type=int, default=6)
parser.add_argument("--steps", type=int, default=400)
options = parser.parse_args()

SPACING_NM = 0.31
# Flexible SPC: Toukan and Rahman, Phys. Rev. B 31 (1985) 2643, as GROMACS has it for GROMOS.
TOPOLOGY = """
[ defaults ]
1 2 yes 0.5 0.5

[ atomtypes ]
OW  8 15.9994 -0.82 A 0.316557 0.650629
HW  1  1.0080  0.41 A 0.0      0.0

[ moleculetype ]
SOL 2

[ atoms ]
1 OW 1 SOL OW  1 -0.82
2 HW 1 SOL HW1 1  0.41
3 HW 1 SOL HW2 1  0.41

[ bonds ]
1 2 1 0.1 345000
1 3 1 0.1 345000

[ angles ]
2 1 3 1 109.47 383

[ system ]
Water on a lattice

[ molecules ]
SOL {molecules}
"""
PARAMETERS = """
integrator = steep
nsteps = {steps}
emstep = 0.005
emtol = 1.0
nstenergy = 1
cutoff-scheme = Verlet
coulombtype = reaction-field
epsilon-rf = 0
rcoulomb = 0.85
rvdw = 0.85
constraints = none
"""


def turned(generator):
    """A rotation that is equally likely to be any: a unit quaternion of four normal numbers."""
    w, x, y, z = (lambda q: q / np.linalg.norm(q))(generator.standard_normal(4))
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def coordinates(side, generator):
    half = np.radians(109.47) / 2
    molecule = 0.1 * np.array([[0, 0, 0], [np.sin(half), np.cos(half), 0], [-np.sin(half), np.cos(half), 0]])
    cells = [(i, j, k) for i in range(side) for j in range(side) for k in range(side)]
    lines = ["Water on a lattice", str(3 * len(cells))]
    for number, cell in enumerate(cells):
        atoms = (np.array(cell) + 0.5) * SPACING_NM + molecule @ turned(generator).T
        for atom, (name, place) in enumerate(zip(("OW", "HW1", "HW2"), atoms)):
            x, y, z = place
            index = 3 * number + atom + 1
            lines.append(f"{number + 1:5d}{'SOL':<5s}{name:>5s}{index:5d}{x:8.3f}{y:8.3f}{z:8.3f}")
    length = side * SPACING_NM
    lines.append(f"{length:10.5f}{length:10.5f}{length:10.5f}")
    return "\n".join(lines) + "\n"


def gmx(*words, text=""):
    # Double precision: single would differ between processors by more than the energy's last digits.
    ended = subprocess.run(["gmx_d", "-nobackup", "-quiet", *words], input=text, capture_output=True, text=True)
    if ended.returncode != 0:
        raise SystemExit(f"gmx {words[0]} ended with {ended.returncode}:\n{ended.stdout[-2000:]}{ended.stderr[-4000:]}")
    return ended.stdout


def series(name):
    """The values of an energy term by step."""
    gmx("energy", "-f", "em.edr", "-o", "term.xvg", "-xvg", "none", text=f"{name}\n\n")
    with open("term.xvg", encoding="utf-8") as file:
        return [float(line.split()[1]) for line in file]


with open("system.gro", "w", encoding="utf-8") as file:
    file.write(coordinates(options.side, np.random.default_rng(int(os.environ.get("ASSAY_SEED", "1")))))
with open("system.top", "w", encoding="utf-8") as file:
    file.write(TOPOLOGY.format(molecules=options.side**3))
with open("em.mdp", "w", encoding="utf-8") as file:
    file.write(PARAMETERS.format(steps=options.steps))

gmx("grompp", "-f", "em.mdp", "-c", "system.gro", "-p", "system.top", "-o", "em.tpr", "-po", "out.mdp")
gmx("mdrun", "-deffnm", "em", "-nt", "1", "-reprod", "-nb", "cpu")
potential = series("Potential")
print(f"{options.side**3} molecules: from {potential[0]:.1f} to {potential[-1]:.3f} kJ/mol in {len(potential)} steps")

os.makedirs("results", exist_ok=True)
os.replace("em.gro", "results/minimised.gro")
with open("results/potential.csv", "w", encoding="utf-8") as file:
    file.write("step,potential_kj_mol\n")
    file.writelines(f"{step},{value:.6f}\n" for step, value in enumerate(potential))
with open("results/metrics.json", "w", encoding="utf-8") as file:
    json.dump({"potential_energy": potential[-1], "initial_energy": potential[0]}, file)
