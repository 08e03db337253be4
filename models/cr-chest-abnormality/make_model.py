#!/usr/bin/env python3
"""Trains model.onnx: a small convolutional network that looks for opacities in frontal chest radiographs, on the phantoms of
phantom.py.

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

from phantom import SIZE, phantom

FOLDER = pathlib.Path(__file__).parent


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
