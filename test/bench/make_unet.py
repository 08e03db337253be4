"""Writes a 3D U-Net of the usual size with random weights as ONNX, for overhead.mjs: five levels of 16 to 256 channels, two convolutions
with instance norm and leaky ReLU each, strided down, transposed up, one channel in, five classes out (5.6 million weights).

    /usr/bin/python3 make_unet.py FILE [BASE]      BASE: channels of the first level, default 16; nnU-Net has 32
"""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

random = np.random.default_rng(1)
nodes, weights = [], []
counter = 0


def node(op, inputs, **attributes):
    global counter
    counter += 1
    name = f"{op}_{counter}"
    nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
    return name


def tensor(values, kind):
    name = f"{kind}_{len(weights)}"
    weights.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
    return name


def convolution(value, channels_in, channels_out, stride=1):
    scale = (2 / (27 * channels_in)) ** 0.5
    kernel = tensor(random.standard_normal((channels_out, channels_in, 3, 3, 3)) * scale, "kernel")
    bias = tensor(np.zeros(channels_out), "bias")
    value = node("Conv", [value, kernel, bias], kernel_shape=[3, 3, 3], pads=[1] * 6, strides=[stride] * 3)
    value = node("InstanceNormalization", [value, tensor(np.ones(channels_out), "scale"), tensor(np.zeros(channels_out), "shift")])
    return node("LeakyRelu", [value], alpha=0.01)


def build(base):
    channels = [base * 2**level for level in range(5)]
    value, before, skips = "image", 1, []
    for level, own in enumerate(channels):
        value = convolution(value, before, own, stride=1 if level == 0 else 2)
        value = convolution(value, own, own)
        skips.append(value)
        before = own
    for level in (3, 2, 1, 0):
        own = channels[level]
        kernel = tensor(random.standard_normal((before, own, 2, 2, 2)) * (1 / before) ** 0.5, "up")
        value = node("ConvTranspose", [value, kernel], kernel_shape=[2, 2, 2], strides=[2, 2, 2])
        value = node("Concat", [value, skips[level]], axis=1)
        value = convolution(value, 2 * own, own)
        value = convolution(value, own, own)
        before = own
    kernel = tensor(random.standard_normal((5, base, 1, 1, 1)), "head")
    nodes.append(helper.make_node("Conv", [value, kernel], ["logits"], name="logits", kernel_shape=[1, 1, 1]))
    shape = lambda c: [1, c, 128, 128, 128]
    graph = helper.make_graph(
        nodes,
        "unet",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape(1))],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, shape(5))],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


if __name__ == "__main__":
    onnx.save(build(int(sys.argv[2]) if len(sys.argv) > 2 else 16), sys.argv[1])
