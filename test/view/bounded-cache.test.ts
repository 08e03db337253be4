import { expect, it } from 'vitest'
import { BoundedCache } from '../../src/view/bounded-cache.ts'

it('keeps what was asked for last, up to its weight', async () => {
  const made: string[] = []
  const cache = new BoundedCache<string>(10, (value) => value.length)
  const get = (key: string) =>
    cache.get(key, async () => {
      made.push(key)
      return key.repeat(4)
    })
  await get('a')
  await get('b')
  await get('a')
  await get('c')
  expect(cache.weight).toBe(8)
  await get('a')
  await get('b')
  expect(made).toEqual(['a', 'b', 'c', 'b'])
})

it('makes a value once for all who ask meanwhile, and forgets what failed', async () => {
  let made = 0
  const cache = new BoundedCache<number>(10, () => 1)
  const get = () =>
    cache.get('a', async () => {
      made++
      if (made === 1) throw new Error('not yet')
      return made
    })
  await expect(Promise.all([get(), get()])).rejects.toThrow('not yet')
  expect(await Promise.all([get(), get()])).toEqual([2, 2])
})
