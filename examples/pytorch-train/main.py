"""Trains a small network to tell two interleaved spirals apart, on data that it makes itself.

Everything random follows from the job's seed, so that honest replicas end at the same validation loss up to what
processors differ in; the replicas are compared by that loss.
"""

import argparse
import json
import math
import os

import numpy as np
import torch

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--epochs", type=int, default=60)
parser.add_argument("--points", type=int, default=1200)
options = parser.parse_args()

seed = int(os.environ.get("ASSAY_SEED", "42"))
torch.manual_seed(seed)
torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)


def spirals(count, generator):
    """`count` points on two arms of one and a half turns, with a little noise; the label is the arm."""
    arm = generator.integers(0, 2, count)
    angle = 3 * math.pi * np.sqrt(generator.random(count))
    radius = angle / (3 * math.pi)
    turned = angle + math.pi * arm
    places = np.stack([radius * np.cos(turned), radius * np.sin(turned)], axis=1)
    places += 0.01 * generator.standard_normal(places.shape)
    return torch.tensor(places, dtype=torch.float32), torch.tensor(arm, dtype=torch.float32)


generator = np.random.default_rng(seed)
train_places, train_arms = spirals(options.points, generator)
val_places, val_arms = spirals(options.points // 4, generator)

network = torch.nn.Sequential(
    torch.nn.Linear(2, 64),
    torch.nn.Tanh(),
    torch.nn.Linear(64, 64),
    torch.nn.Tanh(),
    torch.nn.Linear(64, 1),
)
loss_of = torch.nn.BCEWithLogitsLoss()
optimiser = torch.optim.Adam(network.parameters(), lr=0.01)


def validated():
    with torch.no_grad():
        logits = network(val_places).squeeze(1)
        accuracy = ((logits > 0) == (val_arms > 0.5)).float().mean().item()
        return loss_of(logits, val_arms).item(), accuracy


history = []
for epoch in range(options.epochs):
    for batch in torch.randperm(len(train_places)).split(64):
        optimiser.zero_grad()
        loss = loss_of(network(train_places[batch]).squeeze(1), train_arms[batch])
        loss.backward()
        optimiser.step()
    history.append((epoch + 1, loss.item(), *validated()))
    if (epoch + 1) % 20 == 0:
        print(f"epoch {epoch + 1}: val_loss {history[-1][2]:.4f}, accuracy {history[-1][3]:.3f}")

os.makedirs("results", exist_ok=True)
with open("results/history.csv", "w", encoding="utf-8") as file:
    file.write("epoch,train_loss,val_loss,accuracy\n")
    file.writelines(f"{epoch},{train:.6f},{val:.6f},{accuracy:.6f}\n" for epoch, train, val, accuracy in history)
torch.save(network.state_dict(), "results/network.pt")
with open("results/metrics.json", "w", encoding="utf-8") as file:
    json.dump({"val_loss": history[-1][2], "accuracy": history[-1][3]}, file)
