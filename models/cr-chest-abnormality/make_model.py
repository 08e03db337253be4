#!/usr/bin/env python3
"""Trains model.onnx: a small convolutional network that looks for opacities in frontal chest radiographs, on phantoms drawn here.

Needs the Python packages torch and onnx (Debian: python3-torch, python3-onnx) and a few minutes of two cores. No patient's image is used:
the model proves the machinery and is not for clinical use. The same seed gives the same phantoms; weights may differ in the last digits
between versions of torch.

Input   image    float32 [N, 1, 256, 256]  0 (air) to 1 (bone)
Output  score    float32 [N, 1]            logit of "an opacity is there"
Output  evidence float32 [N, 1, 32, 32]    the same logit place by place, before pooling: where the decision comes from

The score is the smooth maximum (log-mean-exp) of the evidence, so that the map explains the decision and needs no gradient. Both are taught: the phantoms know
where their opacities are.
"""

import argparse
import math
import pathlib

import numpy as np
import torch
from torch import nn

SIZE = 256
FOLDER = pathlib.Path(__file__).parent


def ellipse(rows, columns, row, column, half_height, half_width, tilt=0.0):
    """Signed: below 1 inside."""
    y, x = rows - row, columns - column
    c, s = math.cos(tilt), math.sin(tilt)
    return ((c * x + s * y) / half_width) ** 2 + ((c * y - s * x) / half_height) ** 2


def soft(inside, edge):
    return 1 / (1 + np.exp(np.clip((inside - 1) / edge, -50, 50)))


def phantom(random):
    """A frontal radiograph as float32 [256, 256], whether it has an opacity, and where: 0 to 1, float32 [256, 256]."""
    rows, columns = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    uniform = random.uniform
    middle = SIZE / 2 + uniform(-12, 12)
    scale = uniform(0.82, 1.08)
    lung_row = 120 + uniform(-14, 14)
    image = 0.62 * soft(ellipse(rows, columns, 170, middle, 190 * scale, 118 * scale), 0.06)
    lungs = []
    for side in (-1, 1):
        place = (lung_row + uniform(-6, 6), middle + side * 50 * scale * uniform(0.93, 1.07))
        half = (82 * scale * uniform(0.85, 1.1), 36 * scale * uniform(0.88, 1.12))
        lung = soft(ellipse(rows, columns, *place, *half, side * uniform(0.02, 0.14)), 0.08)
        diaphragm = place[0] + half[0] * uniform(0.62, 0.82) - 8 * np.cos((columns - place[1]) / half[1])
        lung = lung / (1 + np.exp(np.clip((rows - diaphragm) / 1.5, -50, 50)))
        lungs.append((lung, place, half))
        image -= uniform(0.34, 0.44) * lung
    image += 0.20 * soft(ellipse(rows, columns, SIZE, middle, 400, 10 * scale), 0.25)
    heart = ellipse(rows, columns, lung_row + 52 * scale, middle + 14 * scale, 40 * scale * uniform(0.85, 1.2), 40 * scale * uniform(0.8, 1.25))
    image += 0.24 * soft(heart, 0.12)
    for side in (-1, 1):
        gap = uniform(18, 24) * scale
        for rib in range(10):
            x = (columns - middle) * side / (92 * scale)
            curve = lung_row - 100 * scale + rib * gap + 34 * scale * x**2 - 14 * scale * x
            band = np.exp(-(((rows - curve) / (3.2 * scale)) ** 2)) * (x > 0.08) * (x < 1.05)
            image += uniform(0.05, 0.09) * band
        collar = lung_row - 78 * scale - 10 * np.sin((columns - middle) * side / (40 * scale))
        image += 0.10 * np.exp(-(((rows - collar) / 4) ** 2)) * ((columns - middle) * side > 6) * ((columns - middle) * side < 80)
    for lung, place, half in lungs:  # vessels from the hilum
        for _ in range(14):
            angle, length = uniform(0, 2 * math.pi), uniform(0.3, 0.85)
            along = np.linspace(0, length, 40)
            y = place[0] + along * half[0] * math.sin(angle)
            x = middle + (place[1] - middle) * 0.55 + along * half[1] * 1.3 * math.cos(angle)
            for py, px, t in zip(y[::2], x[::2], along[::2]):
                width = 2.4 * (1 - t) + 0.6
                r0, r1, c0, c1 = int(py) - 6, int(py) + 7, int(px) - 6, int(px) + 7
                if r0 < 0 or c0 < 0 or r1 > SIZE or c1 > SIZE:
                    continue
                d2 = (rows[r0:r1, c0:c1] - py) ** 2 + (columns[r0:r1, c0:c1] - px) ** 2
                image[r0:r1, c0:c1] += 0.016 * (1 - t) * np.exp(-d2 / (2 * width**2)) * lung[r0:r1, c0:c1]
    is_abnormal = random.random() < 0.5
    where = np.zeros_like(image)
    if is_abnormal:
        for _ in range(random.integers(1, 3)):
            lung, place, half = lungs[random.integers(2)]
            row = place[0] + uniform(-0.6, 0.55) * half[0]
            column = place[1] + uniform(-0.55, 0.55) * half[1]
            kind = random.integers(3)
            if kind == 0:  # a round one
                size = uniform(5, 14)
                opacity = soft(ellipse(rows, columns, row, column, size, size * uniform(0.8, 1.2)), 0.25)
                image += uniform(0.12, 0.26) * opacity
            elif kind == 1:  # a cloudy one
                cloud = np.zeros_like(image)
                for _ in range(8):
                    size = uniform(6, 15)
                    d = ellipse(rows, columns, row + random.normal() * 12, column + random.normal() * 9, size, size)
                    cloud += np.exp(-d)
                opacity = np.clip(cloud, 0, 1.3) * lung
                image += uniform(0.14, 0.24) * opacity
            else:  # fluid at the base
                level = place[0] + half[0] * uniform(0.25, 0.55)
                meniscus = level - 10 * ((columns - middle) / (place[1] - middle) - 0.6) * scale
                opacity = lung / (1 + np.exp(np.clip((meniscus - rows) / 3, -50, 50)))
                image += uniform(0.24, 0.36) * opacity
            where = np.maximum(where, np.clip(opacity, 0, 1))
    shading = 1 + uniform(-0.08, 0.08) * (columns - middle) / SIZE + uniform(-0.08, 0.08) * (rows - 128) / SIZE
    image = image * shading + random.normal(0, uniform(0.006, 0.02), image.shape)
    image = np.clip(image, 0, None) ** uniform(0.8, 1.25)
    low, high = np.percentile(image, (0.5, 99.5))
    return np.clip((image - low) / (high - low), 0, 1).astype(np.float32), int(is_abnormal), where.astype(np.float32)


class Block(nn.Sequential):
    def __init__(self, channels_in, channels_out, stride):
        super().__init__(
            nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False), nn.BatchNorm2d(channels_out), nn.ReLU(),
            nn.Conv2d(channels_out, channels_out, 3, 1, 1, bias=False), nn.BatchNorm2d(channels_out), nn.ReLU(),
        )


class Classifier(nn.Module):
    """Evidence at a stride of 8, pooled by log-mean-exp with sharpness 4."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(Block(1, 8, 2), Block(8, 16, 2), Block(16, 32, 2), Block(32, 32, 1))
        self.evidence = nn.Conv2d(32, 1, 1)

    def forward(self, image):
        evidence = self.evidence(self.features(image))
        flat = evidence.flatten(1) * 4
        score = (torch.logsumexp(flat, 1, keepdim=True) - math.log(flat.shape[1])) / 4
        return score, evidence


def batch(random, count):
    drawn = [phantom(random) for _ in range(count)]
    images = torch.from_numpy(np.stack([image for image, _, _ in drawn])[:, None])
    where = torch.from_numpy(np.stack([where for _, _, where in drawn])[:, None])
    return images, torch.tensor([[float(label)] for _, label, _ in drawn]), nn.functional.max_pool2d(where, 8)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--phantoms", type=int, default=800)
    options.add_argument("--epochs", type=int, default=8)
    options.add_argument("--seed", type=int, default=20260401)
    o = options.parse_args()
    torch.manual_seed(o.seed)
    torch.set_num_threads(2)
    images, labels, places = batch(np.random.default_rng(o.seed), o.phantoms)
    unseen, truth, _ = batch(np.random.default_rng(o.seed + 1), 400)
    model = Classifier()
    steps = o.epochs * (len(images) // 16)
    optimiser = torch.optim.AdamW(model.parameters(), 3e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    loss_of = nn.BCEWithLogitsLoss()
    for epoch in range(o.epochs):
        total = 0.0
        for chosen in torch.randperm(len(images))[: len(images) // 16 * 16].split(16):
            shown, where = images[chosen], places[chosen]
            if torch.rand(()) < 0.5:
                shown, where = shown.flip(3), where.flip(3)
            shown = shown * torch.empty(len(shown), 1, 1, 1).uniform_(0.85, 1.15) + torch.empty(len(shown), 1, 1, 1).uniform_(-0.06, 0.06)
            score, evidence = model(shown)
            # The phantoms know where their opacities are: the map is taught as well, not only the answer.
            loss = loss_of(score, labels[chosen]) + 3 * nn.functional.binary_cross_entropy_with_logits(evidence, where)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item() * len(chosen)
        print(f"epoch {epoch + 1}: loss {total / len(images):.4f}", flush=True)
    model.eval()
    with torch.no_grad():
        score = torch.cat([model(part)[0] for part in unseen.split(50)])
    order = score.flatten().argsort().argsort().double() + 1
    positive = truth.flatten() == 1
    count = positive.sum().item()
    auc = (order[positive].sum().item() - count * (count + 1) / 2) / (count * (len(truth) - count))
    right = ((score > 0) == (truth > 0.5)).float().mean().item()
    print(f"400 phantoms that it has not seen: AUC {auc:.3f}, accuracy {right:.3f}")
    torch.onnx.export(
        model, torch.zeros(1, 1, SIZE, SIZE), str(FOLDER / "model.onnx"), opset_version=15, input_names=["image"], output_names=["score", "evidence"],
        dynamic_axes={"image": {0: "N"}, "score": {0: "N"}, "evidence": {0: "N"}},
    )


if __name__ == "__main__":
    main()
