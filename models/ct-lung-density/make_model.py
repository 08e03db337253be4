#!/usr/bin/env python3
"""Builds model.onnx: air inside the body, as a plain graph (no weights, no training).

Needs the Python package onnx (1.12 or later; Debian: python3-onnx). Running it again writes the same bytes.

Input   volume     float32 [Z, H, W]  Hounsfield units; Z to the head, H to the back, W to the patient's left
Output  candidate  uint8   [Z, H, W]  1 where a voxel is air that has body around it, else 0

A slice of the output depends on one slice of the input before and one behind it (the halo of pipeline.yaml).
"""

import pathlib

import onnx
from onnx import TensorProto, helper

THRESHOLD = -500.0  # HU between air and tissue
OPSET = 15


def constant(name, kind, shape, values):
    return helper.make_tensor(name, kind, shape, values)


def build():
    nodes = []

    def node(op, inputs, output, **attributes):
        nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    node("Greater", ["volume", "threshold"], "is_tissue")
    node("Cast", ["is_tissue"], "tissue", to=TensorProto.FLOAT)

    # Inside the body: there is tissue in all four directions of the slice.
    sides = []
    for axis in ("columns", "rows"):
        for direction, reverse in (("before", 0), ("behind", 1)):
            name = f"{direction}_{axis}"
            node("CumSum", ["tissue", f"axis_{axis}"], f"sum_{name}", reverse=reverse)
            sides.append(node("Greater", [f"sum_{name}", "zero"], name))
    inside = sides[0]
    for number, side in enumerate(sides[1:]):
        inside = node("And", [inside, side], f"inside_{number}")
    node("Not", ["is_tissue"], "is_air")
    node("And", ["is_air", inside], "air_in_body")
    node("Cast", ["air_in_body"], "air_mask", to=TensorProto.FLOAT)
    node("Unsqueeze", ["air_mask", "batch_and_channel"], "air")

    # Opening: what a 3x3 square of the slice cannot enter is dropped, unless it borders on what it can. The erosion is a dilation of
    # the complement; MaxPool pads with minus infinity, so that the volume's border erodes nothing.
    node("Sub", ["one", "air"], "not_air")
    node("MaxPool", ["not_air"], "not_core", kernel_shape=[1, 3, 3], pads=[0, 1, 1, 0, 1, 1])
    node("Sub", ["one", "not_core"], "core")
    node("MaxPool", ["core"], "around_core", kernel_shape=[3, 5, 5], pads=[1, 2, 2, 1, 2, 2])
    node("Mul", ["air", "around_core"], "opened")
    node("Squeeze", ["opened", "batch_and_channel"], "opened_volume")
    node("Cast", ["opened_volume"], "candidate", to=TensorProto.UINT8)

    shape = ["Z", "H", "W"]
    graph = helper.make_graph(
        nodes,
        "air-in-body",
        [helper.make_tensor_value_info("volume", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("candidate", TensorProto.UINT8, shape)],
        [
            constant("threshold", TensorProto.FLOAT, [], [THRESHOLD]),
            constant("zero", TensorProto.FLOAT, [], [0.0]),
            constant("one", TensorProto.FLOAT, [], [1.0]),
            constant("axis_columns", TensorProto.INT64, [], [2]),
            constant("axis_rows", TensorProto.INT64, [], [1]),
            constant("batch_and_channel", TensorProto.INT64, [2], [0, 1]),
        ],
    )
    model = helper.make_model(
        graph,
        producer_name="hilum",
        producer_version="1.0.0",
        opset_imports=[helper.make_opsetid("", OPSET)],
    )
    model.ir_version = 8
    model.doc_string = "Air inside the body: threshold, four-direction enclosure, opening."
    onnx.checker.check_model(model)
    return model


if __name__ == "__main__":
    target = pathlib.Path(__file__).with_name("model.onnx")
    target.write_bytes(build().SerializeToString())
    print(f"{target.name}: {target.stat().st_size} bytes")
