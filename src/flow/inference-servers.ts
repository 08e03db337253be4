import { readFileSync } from 'node:fs'
import type { Config } from '../config.ts'
import type { InferenceServer } from '../infer/runtime/model.ts'

/** The configured inference servers, as workers take them; certificates are read here, once. */
export function inferenceServers({ infer }: Pick<Config, 'infer'>): InferenceServer[] {
  return Object.entries(infer.servers).map(([name, { url, token, tls, deadline, maximumBytes }]) => ({
    name,
    url,
    ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
    ...(tls && { tls: pemsOf(tls) }),
    ...(deadline !== undefined && { deadlineSeconds: deadline }),
    ...(maximumBytes !== undefined && { maximumBytes }),
  }))
}

type Tls = NonNullable<Config['infer']['servers'][string]['tls']>

function pemsOf(files: Tls): NonNullable<InferenceServer['tls']> {
  const pems = Object.entries(files).flatMap(([part, file]) =>
    file === undefined ? [] : [[part, readFileSync(file, 'utf8')]],
  )
  return Object.fromEntries(pems) as NonNullable<InferenceServer['tls']>
}
