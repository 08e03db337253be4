import type { fromJSON } from '@grpc/proto-loader'

/**
 * The messages of the Open Inference Protocol v2 over gRPC (package inference), as far as they are used, as a descriptor of protobufjs: the
 * protocol's field numbers and types.
 */
const tensorMetadata = {
  fields: {
    name: { type: 'string', id: 1 },
    datatype: { type: 'string', id: 2 },
    shape: { rule: 'repeated', type: 'int64', id: 3 },
  },
}

const tensor = {
  fields: {
    ...tensorMetadata.fields,
    contents: { type: 'InferTensorContents', id: 5 },
  },
}

const modelName = {
  model_name: { type: 'string', id: 1 },
  model_version: { type: 'string', id: 2 },
  id: { type: 'string', id: 3 },
}

const named = { fields: { name: { type: 'string', id: 1 }, version: { type: 'string', id: 2 } } }

const repeated = (type: string, id: number): { rule: 'repeated'; type: string; id: number } => ({
  rule: 'repeated',
  type,
  id,
})

const method = (name: string): { requestType: string; responseType: string; comment: string } => ({
  comment: '',
  requestType: `${name}Request`,
  responseType: `${name}Response`,
})

export const openInferenceMessages: Parameters<typeof fromJSON>[0] = {
  nested: {
    inference: {
      nested: {
        GRPCInferenceService: {
          methods: {
            ServerMetadata: method('ServerMetadata'),
            ModelReady: method('ModelReady'),
            ModelMetadata: method('ModelMetadata'),
            ModelInfer: method('ModelInfer'),
          },
        },
        ServerMetadataRequest: { fields: {} },
        ServerMetadataResponse: {
          fields: { ...named.fields, extensions: repeated('string', 3) },
        },
        ModelReadyRequest: named,
        ModelReadyResponse: { fields: { ready: { type: 'bool', id: 1 } } },
        ModelMetadataRequest: named,
        ModelMetadataResponse: {
          fields: {
            name: { type: 'string', id: 1 },
            versions: repeated('string', 2),
            platform: { type: 'string', id: 3 },
            inputs: repeated('TensorMetadata', 4),
            outputs: repeated('TensorMetadata', 5),
          },
        },
        TensorMetadata: tensorMetadata,
        InferTensorContents: {
          fields: {
            bool_contents: repeated('bool', 1),
            int_contents: repeated('int32', 2),
            int64_contents: repeated('int64', 3),
            uint_contents: repeated('uint32', 4),
            uint64_contents: repeated('uint64', 5),
            fp32_contents: repeated('float', 6),
            fp64_contents: repeated('double', 7),
            bytes_contents: repeated('bytes', 8),
          },
        },
        InferTensor: tensor,
        InferRequestedOutputTensor: { fields: { name: { type: 'string', id: 1 } } },
        ModelInferRequest: {
          fields: {
            ...modelName,
            inputs: repeated('InferTensor', 5),
            outputs: repeated('InferRequestedOutputTensor', 6),
            raw_input_contents: repeated('bytes', 7),
          },
        },
        ModelInferResponse: {
          fields: {
            ...modelName,
            outputs: repeated('InferTensor', 5),
            raw_output_contents: repeated('bytes', 6),
          },
        },
      },
    },
  },
}
