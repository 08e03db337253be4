/** Elements of a tensor with its channels: `data[(outer * channels + channel) * inner + i]`. */
export interface Channels {
  data: Float32Array
  channels: number
  /** Elements from one channel to the next. */
  inner: number
}

/** Elements that are worked on at a time, so that what is found of them stays in the cache. */
const segment = 8192

/** Softmax over the channels, in place. */
export function softmax({ data, channels, inner }: Channels): void {
  const greatest = new Float32Array(Math.min(segment, inner))
  const sum = new Float32Array(greatest.length)
  for (let outer = 0; outer < data.length; outer += channels * inner)
    for (let from = 0; from < inner; from += segment) {
      const length = Math.min(segment, inner - from)
      const start = outer + from
      greatest.set(data.subarray(start, start + length))
      for (let c = 1, at = start + inner; c < channels; c++, at += inner)
        for (let i = 0; i < length; i++) {
          const value = data[at + i] as number
          if (value > (greatest[i] as number)) greatest[i] = value
        }
      sum.fill(0)
      for (let c = 0, at = start; c < channels; c++, at += inner)
        for (let i = 0; i < length; i++) {
          const value = Math.exp((data[at + i] as number) - (greatest[i] as number))
          data[at + i] = value
          sum[i] = (sum[i] as number) + value
        }
      for (let c = 0, at = start; c < channels; c++, at += inner)
        for (let i = 0; i < length; i++) data[at + i] = (data[at + i] as number) / (sum[i] as number)
    }
}

/** The logistic function of each element, in place. */
export function sigmoid({ data }: Pick<Channels, 'data'>): void {
  for (let i = 0; i < data.length; i++) data[i] = 1 / (1 + Math.exp(-(data[i] as number)))
}

/**
 * The channel with the greatest value, for each element; the first of equals.
 * @param data of one outer part
 * @param into receives `inner` numbers of channels
 */
export function argmax(
  data: Float32Array | Uint8Array,
  { channels, inner }: Pick<Channels, 'channels' | 'inner'>,
  into: Uint8Array,
): void {
  const greatest = new Float32Array(Math.min(segment, inner))
  into.fill(0)
  for (let from = 0; from < inner; from += segment) {
    const length = Math.min(segment, inner - from)
    greatest.set(data.subarray(from, from + length))
    for (let c = 1, at = from + inner; c < channels; c++, at += inner)
      for (let i = 0; i < length; i++) {
        const value = data[at + i] as number
        if (value > (greatest[i] as number)) {
          greatest[i] = value
          into[from + i] = c
        }
      }
  }
}

/** 1 for the channel with the greatest value, 0 for the others, in place. */
export function oneHot({ data, channels, inner }: Channels): void {
  const labels = new Uint8Array(inner)
  for (let start = 0; start < data.length; start += channels * inner) {
    const part = data.subarray(start, start + channels * inner)
    argmax(part, { channels, inner }, labels)
    part.fill(0)
    for (let i = 0; i < inner; i++) part[(labels[i] as number) * inner + i] = 1
  }
}
