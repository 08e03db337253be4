/**
 * The receiving process as it is built, which collects its garbage and tells its memory on SIGUSR2: what is left then is held, and
 * not only waiting to be collected. The program that is wrapped is named by HILUM_FUZZ_ENTRY.
 */
import { pathToFileURL } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')

process.on('SIGUSR2', () => {
  collect()
  setImmediate(() => {
    collect()
    const { heapUsed, external, arrayBuffers } = process.memoryUsage()
    const context = { heapUsed, external, arrayBuffers }
    process.send?.({ kind: 'log', level: 'info', sentence: 'memory after garbage collection', context })
  })
})

await import(pathToFileURL(process.env.HILUM_FUZZ_ENTRY).href)
