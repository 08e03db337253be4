#!/usr/bin/env python3
"""Trains model.onnx: a small 2D U-Net that outlines the left atrium in four-chamber cine MR images, on phantoms drawn here.

Needs the Python packages torch and onnx (Debian: python3-torch, python3-onnx) and a few minutes of two cores. No patient's image is used:
the model proves the machinery and is not for clinical use. The same seed gives the same phantoms; weights may differ in the last digits
between versions of torch.

Input   image   float32 [N, 1, H, W]  z-scores of one slice at 1.5 mm a pixel; H and W are multiples of 8
Output  logits  float32 [N, 2, H, W]  background, left atrium
"""

import argparse
import math
import pathlib

import numpy as np
import torch
from torch import nn

SIZE = 192
FOLDER = pathlib.Path(__file__).parent


def soft(inside, edge):
    return 1 / (1 + np.exp(np.clip((inside - 1) / edge, -50, 50)))


def phantom(random):
    """A four-chamber view as float32 [192, 192] in z-scores, and the left atrium's mask. The patient's left is on the right."""
    rows, columns = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    uniform = random.uniform
    turn, scale = uniform(-0.9, 0.9), uniform(0.75, 1.2)
    row, column = 96 + uniform(-22, 22), 96 + uniform(-22, 22)
    y, x = (rows - row) / scale, (columns - column) / scale
    c, s = math.cos(turn), math.sin(turn)
    # The heart's own axes: v from the base (negative) to the apex, u from its right side to its left.
    u, v = c * x + s * y, s * x - c * y

    def chamber(u0, v0, half_u, half_v, tilt=0.0, edge=0.10):
        cu, su = math.cos(tilt), math.sin(tilt)
        a, b = (cu * (u - u0) + su * (v - v0)) / half_u, (cu * (v - v0) - su * (u - u0)) / half_v
        # Squarer than an ellipse, with a wavy wall.
        angle = np.arctan2(b, a)
        wave = 1 + 0.05 * np.sin(2 * angle + uniform(0, 6)) + 0.03 * np.sin(3 * angle + uniform(0, 6))
        return (np.abs(a) ** 2.3 + np.abs(b) ** 2.3) / wave, edge

    beat = uniform(0.75, 1.1)
    left_ventricle = chamber(14, 16, 12.5 * beat, 27 * beat, uniform(-0.1, 0.1))
    right_ventricle = chamber(-15, 14, 12 * beat, 23 * beat, uniform(-0.25, 0))
    left_atrium = chamber(13 + uniform(-2, 2), -24 + uniform(-3, 3), 14.5 * uniform(0.75, 1.3), 11.5 * uniform(0.75, 1.35), uniform(-0.3, 0.3))
    right_atrium = chamber(-16, -21, 13 * uniform(0.85, 1.15), 13 * uniform(0.85, 1.15))
    body = ((rows - 96) / uniform(78, 92)) ** 2 + ((columns - 96) / uniform(90, 110)) ** 2
    image = uniform(0.30, 0.45) * soft(body, 0.03)
    fat = np.exp(-(((body - 0.93) / 0.07) ** 2))
    image += uniform(0.3, 0.55) * fat
    for side in (-1, 1):  # lungs
        lung = ((rows - 92) / uniform(52, 64)) ** 2 + ((columns - 96 - side * 48) / uniform(30, 38)) ** 2
        image *= 1 - uniform(0.75, 0.95) * soft(lung, 0.08)
    heart = (u / 40) ** 2 + ((v - 4) / 48) ** 2
    muscle = uniform(0.25, 0.4)
    inside = soft(heart, 0.06)
    image = image * (1 - inside) + muscle * inside
    wall = (((u - 14) / (21 * beat)) ** 2 + ((v - 17) / (35 * beat)) ** 2)
    image += 0.02 * soft(wall, 0.1)
    blood = uniform(0.75, 1.0)
    for inside_of, edge in (left_ventricle, right_ventricle, left_atrium, right_atrium):
        part = soft(inside_of, edge)
        image = image * (1 - part) + blood * uniform(0.9, 1.08) * part
    # Open valves, the descending aorta, and veins that enter the atrium.
    for u0 in (13.5, -15.5):
        valve = np.exp(-(((u - u0) / 4) ** 2) - ((v + 12) / uniform(2, 5)) ** 2) * uniform(0.0, 0.6)
        image = image * (1 - valve) + blood * valve
    aorta = soft(((u - 8) / 8) ** 2 + ((v + 50) / 8) ** 2, 0.15)
    image = image * (1 - aorta) + blood * uniform(0.85, 1.1) * aorta
    for side in (-1, 1):
        vein = np.exp(-(((v + 32 - 0.2 * side * (u - 13)) / 2.6) ** 2)) * (side * (u - 13) > 10) * (side * (u - 13) < 30)
        image = image * (1 - vein) + blood * 0.9 * vein
    field = 1 + uniform(-0.3, 0.3) * (rows - 96) / SIZE + uniform(-0.3, 0.3) * (columns - 96) / SIZE
    image = np.abs(image * field + random.normal(0, uniform(0.01, 0.05), image.shape))
    for _ in range(random.integers(0, 3)):  # blur of motion
        image = (image + np.roll(image, 1, 0) + np.roll(image, 1, 1)) / 3
    mask = left_atrium[0] < 1
    return ((image - image.mean()) / image.std()).astype(np.float32), mask.astype(np.int64)


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
