import { InferError } from '../error.ts'
import { checkFeeds, checkTensor, checkWanted } from './check-tensors.ts'
import type { Model, TensorInfo } from './model.ts'
import { infoOfMetadata } from './open-inference-protocol.ts'
import type { Tensor } from './tensor.ts'

type TensorMetadata = Parameters<typeof infoOfMetadata>[0]

/** What a server says of itself and of a model. */
export interface Descriptions {
  server: { name: string; version: string }
  model: { inputs: readonly TensorMetadata[]; outputs: readonly TensorMetadata[] }
}

/** What the server is asked, over HTTP or gRPC. */
export interface ServerCalls {
  infer(
    feeds: Readonly<Record<string, Tensor>>,
    wanted: readonly string[],
    outputs: readonly TensorInfo[],
  ): Promise<Record<string, Tensor>>
  close(): Promise<void>
}

/** A model behind an interface of the Open Inference Protocol, whose inputs and wanted outputs are checked before anything is sent. */
export function servedModel({ server, model }: Descriptions, calls: ServerCalls): Model {
  const inputs = model.inputs.map(infoOfMetadata)
  const outputs = model.outputs.map(infoOfMetadata)
  return {
    provider: `open-inference ${[server.name, server.version].filter(Boolean).join(' ').slice(0, 64)}`,
    notes: [],
    inputs,
    outputs,
    run: async (feeds, wanted) => {
      checkFeeds(inputs, feeds)
      checkWanted(outputs, wanted)
      return calls.infer(feeds, wanted, outputs)
    },
    close: () => calls.close(),
  }
}

/**
 * The outputs that are wanted, of those that an answer holds, checked against what the server says of them.
 * @throws {InferError} `wrong-shape`
 */
export function wantedOf(
  given: ReadonlyMap<string, Tensor>,
  wanted: readonly string[],
  outputs: readonly TensorInfo[],
): Record<string, Tensor> {
  return Object.fromEntries(
    wanted.map((name) => {
      const tensor = given.get(name)
      if (!tensor) throw new InferError('wrong-shape', `the server’s answer has no output ${name}`)
      checkTensor(`output ${name}`, outputs.find((info) => info.name === name) as TensorInfo, tensor)
      return [name, tensor]
    }),
  )
}

/** The error of an answer that is none. */
export function malformed(reason: string): InferError {
  return new InferError('model-failed', `the inference server’s answer is not as the protocol says: ${reason}`)
}
