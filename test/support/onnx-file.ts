import { writeFile } from 'node:fs/promises'

/** Codes of types in ONNX's TensorProto. */
const typeCodes = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9, float16: 10, float64: 11 } as const
type Type = keyof typeof typeCodes

type Attribute = number | { float: number } | { graph: OnnxGraph } | readonly number[] | string

export interface OnnxNode {
  op: string
  inputs: readonly string[]
  outputs: readonly string[]
  /** Numbers are integers; `{float}` a number that is not; `{graph}` the body of a loop. */
  attributes?: Readonly<Record<string, Attribute>>
}

export interface OnnxGraph {
  inputs: Readonly<Record<string, readonly [type: Type, dims: readonly (number | string)[]]>>
  outputs: Readonly<Record<string, readonly [type: Type, dims: readonly (number | string)[]]>>
  nodes: readonly OnnxNode[]
  /** Constants by name. */
  constants?: Readonly<
    Record<string, { type: 'float32' | 'int64'; dims: readonly number[]; values: readonly number[] }>
  >
}

/** Writes a small ONNX model (ModelProto, IR version 8, opset 17), so that tests need neither Python nor files of others. */
export async function writeOnnx(file: string, graph: OnnxGraph): Promise<string> {
  await writeFile(file, encodeOnnx(graph))
  return file
}

export function encodeOnnx(graph: OnnxGraph): Buffer {
  const opset = message(8, Buffer.concat([text(1, ''), integer(2, 17)]))
  return Buffer.concat([integer(1, 8), message(7, encodeGraph(graph)), opset])
}

function encodeGraph({ inputs, outputs, nodes, constants = {} }: OnnxGraph): Buffer {
  return Buffer.concat([
    ...nodes.map((node) => message(1, encodeNode(node))),
    text(2, 'test'),
    ...Object.entries(constants).map(([name, constant]) => message(5, encodeConstant(name, constant))),
    ...Object.entries(inputs).map(([name, [type, dims]]) => message(11, encodeValueInfo(name, type, dims))),
    ...Object.entries(outputs).map(([name, [type, dims]]) => message(12, encodeValueInfo(name, type, dims))),
  ])
}

function encodeNode({ op, inputs, outputs, attributes = {} }: OnnxNode): Buffer {
  return Buffer.concat([
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(4, op),
    ...Object.entries(attributes).map(([name, value]) => message(5, encodeAttribute(name, value))),
  ])
}

function encodeAttribute(name: string, value: Attribute): Buffer {
  if (typeof value === 'number') return Buffer.concat([text(1, name), integer(3, value), integer(20, 2)])
  if (typeof value === 'string') return Buffer.concat([text(1, name), text(4, value), integer(20, 3)])
  if ('float' in value) {
    const float = Buffer.alloc(5)
    float[0] = (2 << 3) | 5
    float.writeFloatLE(value.float, 1)
    return Buffer.concat([text(1, name), float, integer(20, 1)])
  }
  if ('graph' in value) return Buffer.concat([text(1, name), message(6, encodeGraph(value.graph)), integer(20, 5)])
  return Buffer.concat([text(1, name), ...value.map((v) => integer(8, v)), integer(20, 7)])
}

function encodeConstant(
  name: string,
  { type, dims, values }: { type: 'float32' | 'int64'; dims: readonly number[]; values: readonly number[] },
): Buffer {
  const data = type === 'float32' ? Float32Array.from(values) : BigInt64Array.from(values, BigInt)
  return Buffer.concat([
    ...dims.map((dim) => integer(1, dim)),
    integer(2, typeCodes[type]),
    text(8, name),
    message(9, Buffer.from(data.buffer)),
  ])
}

function encodeValueInfo(name: string, type: Type, dims: readonly (number | string)[]): Buffer {
  const shape = Buffer.concat(dims.map((dim) => message(1, typeof dim === 'number' ? integer(1, dim) : text(2, dim))))
  const tensor = Buffer.concat([integer(1, typeCodes[type]), message(2, shape)])
  return Buffer.concat([text(1, name), message(2, message(1, tensor))])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  do {
    const low = Number(rest & 0x7fn)
    rest >>= 7n
    bytes.push(rest > 0n ? low | 0x80 : low)
  } while (rest > 0n)
  return Buffer.from(bytes)
}

function integer(field: number, value: number): Buffer {
  return Buffer.concat([varint(field << 3), varint(value)])
}

function message(field: number, body: Buffer): Buffer {
  return Buffer.concat([varint((field << 3) | 2), varint(body.length), body])
}

function text(field: number, value: string): Buffer {
  return message(field, Buffer.from(value))
}
