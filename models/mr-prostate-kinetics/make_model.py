#!/usr/bin/env python3
"""Builds model.onnx: time to peak and wash-in of a dynamic series, as a plain graph (no weights, no training).

Needs the Python package onnx (1.12 or later; Debian: python3-onnx). Running it again writes the same bytes.

Input   series        float32 [1, T, D, H, W]  signal; the first volume is the baseline
Input   times         float32 [T]              seconds after the first volume
Output  time_to_peak  float32 [1, 1, D, H, W]  seconds from the first volume to the highest signal; 0 where nothing is enhanced
Output  wash_in       float32 [1, 1, D, H, W]  percent of the baseline by which the signal has risen at its peak; 0 where nothing is enhanced

A voxel is enhanced where its baseline is above FLOOR times the mean baseline (air has no meaning) and its peak at least RISE above it.
"""

import pathlib

import onnx
from onnx import TensorProto, helper

FLOOR = 0.15
RISE = 0.10
OPSET = 15


def build():
    nodes = []

    def node(op, inputs, output, **attributes):
        nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    node("Slice", ["series", "zero_index", "one_index", "axis_time"], "baseline")
    node("ReduceMax", ["series"], "peak", axes=[1], keepdims=1)
    node("ArgMax", ["series"], "peak_index", axis=1, keepdims=1)
    node("Gather", ["times", "peak_index"], "peak_time", axis=0)
    node("ReduceMean", ["baseline"], "mean_baseline", keepdims=1)
    node("Mul", ["mean_baseline", "floor"], "least")
    node("Greater", ["baseline", "least"], "is_tissue")
    node("Max", ["baseline", "tiny"], "divisor")
    node("Sub", ["peak", "baseline"], "rise")
    node("Div", ["rise", "divisor"], "relative")
    node("Greater", ["relative", "least_rise"], "has_risen")
    node("And", ["is_tissue", "has_risen"], "is_enhanced")
    node("Mul", ["relative", "hundred"], "percent")
    node("Where", ["is_enhanced", "percent", "nothing"], "wash_in")
    node("Where", ["is_enhanced", "peak_time", "nothing"], "time_to_peak")
    maps = [1, 1, "D", "H", "W"]
    scalar = lambda name, value: helper.make_tensor(name, TensorProto.FLOAT, [], [value])
    index = lambda name, value: helper.make_tensor(name, TensorProto.INT64, [1], [value])
    graph = helper.make_graph(
        nodes,
        "mr-prostate-kinetics",
        [
            helper.make_tensor_value_info("series", TensorProto.FLOAT, [1, "T", "D", "H", "W"]),
            helper.make_tensor_value_info("times", TensorProto.FLOAT, ["T"]),
        ],
        [
            helper.make_tensor_value_info("time_to_peak", TensorProto.FLOAT, maps),
            helper.make_tensor_value_info("wash_in", TensorProto.FLOAT, maps),
        ],
        [
            index("zero_index", 0), index("one_index", 1), index("axis_time", 1), scalar("floor", FLOOR), scalar("tiny", 1e-6),
            scalar("least_rise", RISE), scalar("hundred", 100.0), scalar("nothing", 0.0),
        ],
    )
    model = helper.make_model(graph, producer_name="hilum", opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    return model


if __name__ == "__main__":
    onnx.save(build(), str(pathlib.Path(__file__).with_name("model.onnx")))
