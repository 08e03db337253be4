import { z } from 'zod'
import { bytes, type Environment, readableFile, seconds, secret } from './config-values.ts'

function inferenceServer(environment: Environment) {
  return z.strictObject({
    url: z.url({
      protocol: /^https?$/,
      error: 'expected the URL of an inference server, as in https://triton.example:8000',
    }),
    token: secret(environment, 'Sent as a bearer token: text, {env: NAME} or {file: path}.').optional(),
    tls: z
      .strictObject({
        ca: readableFile('PEM file of the authorities to trust instead of the system’s.').optional(),
        certificate: readableFile('PEM file of the client certificate.').optional(),
        key: readableFile('PEM file of the client key.').optional(),
      })
      .optional(),
    deadline: seconds('Seconds for one request; the lesser of this and the pipeline’s counts.', { min: 1 }).optional(),
    maximumBytes: bytes('Bytes, or text such as "256 MiB", of a request or an answer; left out: 2 GiB.').optional(),
  })
}

/** The section `infer` of the configuration. */
export function inferSchema(environment: Environment) {
  return z
    .strictObject({
      slots: z
        .number()
        .int()
        .min(1)
        .max(64)
        .default(1)
        .describe('Inference jobs at once, each in a process of its own.'),
      threads: z
        .number()
        .int()
        .min(0)
        .max(1024)
        .default(0)
        .describe('CPU threads of a job; 0: the cores divided among the slots.'),
      deadline: seconds('Seconds until a job is ended.', { min: 1 }).default(900),
      providers: z
        .array(z.string().min(1))
        .min(1)
        .default(['cpu'])
        .describe('ONNX Runtime execution providers, best first; cpu is always there.'),
      memoryLimit: bytes(
        'Bytes, or text such as "8 GiB", that an inference process may hold; 0: three quarters of the machine’s.',
      ).default(0),
      servers: z
        .record(
          z.string().regex(/^[a-z][a-z0-9-]*$/, 'expected lower-case letters, digits and hyphens'),
          inferenceServer(environment),
        )
        .default({})
        .describe('Servers of the Open Inference Protocol (V2), by the names that pipelines call them.'),
    })
    .prefault({})
    .describe('Inference.')
}
