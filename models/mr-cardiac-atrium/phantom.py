"""Draws the phantoms of four-chamber cine MR images on which make_model.py trains. Needs numpy alone; no patient's image is used."""

import math

import numpy as np

SIZE = 192


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
