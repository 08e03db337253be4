#!/usr/bin/env python3
"""Builds model.onnx: edge-preserving smoothing of single slices, as a plain graph (no weights, no training).

Needs the Python package onnx (1.12 or later; Debian: python3-onnx). Running it again writes the same bytes.

Input   image     float32 [N, 1, H, W]  values in units of the noise's scale (see pipeline.yaml), so that an edge is several units high
Output  smoothed  float32 [N, 1, H, W]  the same values, smoothed

Ten steps of nonlinear diffusion (P. Perona, J. Malik, IEEE PAMI 12(7), 1990), with the exponential conductance and the differences to
the eight neighbours, diagonal ones by half: x + STEP * sum over neighbours of w * d * exp(-(d / EDGE)^2). The border repeats itself.
"""

import pathlib

import onnx
from onnx import TensorProto, helper

STEPS = 10
STEP = 0.13  # stable below 1/6 for these neighbours
EDGE = 2.0  # differences well above it are kept
OPSET = 15
NEIGHBOURS = [(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1) if (r, c) != (0, 0)]


def build():
    nodes = []

    def node(op, inputs, output, **attributes):
        nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    # One convolution gives all eight differences, one more weighs and adds them.
    kernel, weights = [], []
    for row, column in NEIGHBOURS:
        square = [[0.0] * 3 for _ in range(3)]
        square[1][1] = -1.0
        square[1 + row][1 + column] = 1.0
        kernel += [value for line in square for value in line]
        weights.append(STEP if row == 0 or column == 0 else STEP / 2)
    value = "image"
    for step in range(STEPS):
        padded = node("Pad", [value, "pads"], f"padded_{step}", mode="edge")
        differences = node("Conv", [padded, "kernel"], f"differences_{step}")
        scaled = node("Div", [differences, "edge"], f"scaled_{step}")
        squared = node("Mul", [scaled, scaled], f"squared_{step}")
        conductance = node("Exp", [node("Neg", [squared], f"negative_{step}")], f"conductance_{step}")
        flow = node("Mul", [differences, conductance], f"flow_{step}")
        change = node("Conv", [flow, "weights"], f"change_{step}")
        value = node("Add", [value, change], "smoothed" if step == STEPS - 1 else f"value_{step}")
    shape = ["N", 1, "H", "W"]
    initializers = [
        helper.make_tensor("pads", TensorProto.INT64, [8], [0, 0, 1, 1, 0, 0, 1, 1]),
        helper.make_tensor("kernel", TensorProto.FLOAT, [8, 1, 3, 3], kernel),
        helper.make_tensor("weights", TensorProto.FLOAT, [1, 8, 1, 1], weights),
        helper.make_tensor("edge", TensorProto.FLOAT, [], [EDGE]),
    ]
    graph = helper.make_graph(
        nodes,
        "image-denoise",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("smoothed", TensorProto.FLOAT, shape)],
        initializers,
    )
    model = helper.make_model(graph, producer_name="hilum", opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    return model


if __name__ == "__main__":
    onnx.save(build(), str(pathlib.Path(__file__).with_name("model.onnx")))
