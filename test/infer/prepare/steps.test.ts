import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { stepSchema } from '../../../src/infer/manifest/step-chain.ts'
import { prepareSteps } from '../../../src/infer/prepare/steps.ts'

const chain = z.array(stepSchema(prepareSteps))

describe('the table of steps', () => {
  it('has names and summaries as the manifest and its reference want them', () => {
    for (const [name, { summary }] of Object.entries(prepareSteps)) {
      expect(name).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/)
      expect(summary).toMatch(/^[A-Z].*\.$/)
    }
  })

  it('can be described by a JSON Schema', () => {
    for (const [name, { options }] of Object.entries(prepareSteps))
      expect(z.toJSONSchema(options, { io: 'input' }), name).toMatchObject({
        type: 'object',
        additionalProperties: false,
      })
  })

  it('reads chains, and refuses options that are unknown, missing or contradict each other', () => {
    const parsed = chain.parse([{ reorient: { axes: 'RAS' } }, { resample: { spacing: [1, 1, 1] } }, 'scale-range'])
    expect(parsed.map(({ step }) => step)).toEqual(['reorient', 'resample', 'scale-range'])
    expect(parsed[2]?.options).toEqual({ to: [0, 1], clip: true, of: 'all', over: 'channel' })
    for (const wrong of [
      'window',
      { window: { center: 40, width: 400 } },
      { reorient: { axes: 'RAR' } },
      { reorient: { axes: 'LRS' } },
      { resample: { spacing: 0 } },
      { resample: { spacing: [] } },
      { clip: {} },
      { clip: { minimum: 2, maximum: 1 } },
      { 'scale-range': { from: [0, 1], percentiles: [1, 99] } },
      { 'crop-to': {} },
      { 'crop-to': { mask: 'a', boxes: 'b' } },
      { pad: { size: [8, 8], multiple: 8 } },
      { fit: { size: [8] } },
      { normalise: { mean: 0, std: [1, 0] } },
      { 'z-score': { mask: 'brain', of: 'non-zero' } },
    ])
      expect(chain.safeParse([wrong]).success, JSON.stringify(wrong)).toBe(false)
  })

  it('names the other values that options refer to', () => {
    const needs = (name: string, options: object): readonly string[] => {
      const step = prepareSteps[name]
      return step?.needs?.(step.options.parse(options)) ?? []
    }
    expect(needs('crop-to', { mask: 'lungs' })).toEqual(['lungs'])
    expect(needs('crop-to', { boxes: 'nodules' })).toEqual(['nodules'])
    expect(needs('resample-to', { grid: 'ct' })).toEqual(['ct'])
    expect(needs('z-score', { mask: 'brain' })).toEqual(['brain'])
    expect(needs('z-score', {})).toEqual([])
  })
})
