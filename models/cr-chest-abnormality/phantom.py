"""Draws the phantoms of frontal chest radiographs on which make_model.py trains. Needs numpy alone; no patient's image is used."""

import math

import numpy as np

SIZE = 256


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
