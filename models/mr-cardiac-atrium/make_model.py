#!/usr/bin/env python3
"""Trains model.onnx: a small 2D U-Net that outlines the left atrium in four-chamber cine MR images, on the phantoms of
phantom.py.

Needs the Python packages torch and onnx (Debian: python3-torch, python3-onnx) and a few minutes of two cores. No patient's image is used:
the model proves the machinery and is not for clinical use. The same seed gives the same phantoms; weights may differ in the last digits
between versions of torch.

Input   image   float32 [N, 1, H, W]  z-scores of one slice at 1.5 mm a pixel; H and W are multiples of 8
Output  logits  float32 [N, 2, H, W]  background, left atrium
"""

import argparse
import pathlib

import numpy as np
import torch
from torch import nn

from phantom import SIZE, phantom

FOLDER = pathlib.Path(__file__).parent


def double(channels_in, channels_out):
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, 1, 1, bias=False), nn.BatchNorm2d(channels_out), nn.ReLU(),
        nn.Conv2d(channels_out, channels_out, 3, 1, 1, bias=False), nn.BatchNorm2d(channels_out), nn.ReLU(),
    )


class UNet(nn.Module):
    def __init__(self, base=8):
        super().__init__()
        widths = [base, base * 2, base * 4, base * 8]
        self.down = nn.ModuleList([double(1 if i == 0 else widths[i - 1], width) for i, width in enumerate(widths)])
        self.up = nn.ModuleList([double(widths[i] + widths[i + 1], widths[i]) for i in (2, 1, 0)])
        self.head = nn.Conv2d(base, 2, 1)

    def forward(self, x):
        kept = []
        for level, block in enumerate(self.down):
            x = block(x if level == 0 else nn.functional.max_pool2d(x, 2))
            kept.append(x)
        for level, block in zip((2, 1, 0), self.up):
            x = nn.functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = block(torch.cat([x, kept[level]], 1))
        return self.head(x)


def draw(random, count):
    drawn = [phantom(random) for _ in range(count)]
    return torch.from_numpy(np.stack([image for image, _ in drawn])[:, None]), torch.from_numpy(np.stack([mask for _, mask in drawn]))


def dice(logits, mask):
    found = logits.argmax(1) == 1
    truth = mask == 1
    return (2 * (found & truth).sum((1, 2)) / (found.sum((1, 2)) + truth.sum((1, 2))).clamp(min=1)).double()


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--phantoms", type=int, default=320)
    options.add_argument("--epochs", type=int, default=8)
    options.add_argument("--seed", type=int, default=20260402)
    o = options.parse_args()
    torch.manual_seed(o.seed)
    torch.set_num_threads(2)
    images, masks = draw(np.random.default_rng(o.seed), o.phantoms)
    unseen, truth = draw(np.random.default_rng(o.seed + 1), 100)
    model = UNet()
    steps = o.epochs * (len(images) // 8)
    optimiser = torch.optim.AdamW(model.parameters(), 3e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    cross_entropy = nn.CrossEntropyLoss()
    for epoch in range(o.epochs):
        total = 0.0
        for chosen in torch.randperm(len(images))[: len(images) // 8 * 8].split(8):
            logits = model(images[chosen])
            probability, wanted = logits.softmax(1)[:, 1], (masks[chosen] == 1).float()
            overlap = 1 - (2 * (probability * wanted).sum() + 1) / (probability.sum() + wanted.sum() + 1)
            loss = cross_entropy(logits, masks[chosen]) + overlap
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item() * len(chosen)
        print(f"epoch {epoch + 1}: loss {total / len(images):.4f}", flush=True)
    model.eval()
    with torch.no_grad():
        found = torch.cat([dice(model(part), mask) for part, mask in zip(unseen.split(20), truth.split(20))])
    print(f"100 phantoms that it has not seen: Dice {found.mean():.3f}, lowest {found.min():.3f}")
    axes = {0: "N", 2: "H", 3: "W"}
    torch.onnx.export(
        model, torch.zeros(1, 1, SIZE, SIZE), str(FOLDER / "model.onnx"), opset_version=15, input_names=["image"], output_names=["logits"],
        dynamic_axes={"image": axes, "logits": axes},
    )


if __name__ == "__main__":
    main()
