import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { diffRoutes, diffTexts } from '../../src/route/route-diff.ts'

describe('the difference between two versions', () => {
  it('is told field by field, conditions word by word', () => {
    const before = {
      name: 'lung',
      priority: 'normal',
      inputs: { ct: { where: 'series.Modality == "CT" && series.SliceThickness <= 3', prefer: [] } },
      destinations: ['self'],
    }
    const after = {
      ...before,
      inputs: { ct: { ...before.inputs.ct, where: 'series.Modality == "CT" && series.SliceThickness <= 2.5' } },
      destinations: ['self', 'pacs'],
      stop: true,
    }
    expect(diffRoutes(before, after)).toEqual([
      {
        path: 'inputs.ct.where',
        before: before.inputs.ct.where,
        after: after.inputs.ct.where,
        text: [
          { kind: 'same', text: 'series.Modality == "CT" && series.SliceThickness <= ' },
          { kind: 'removed', text: '3' },
          { kind: 'added', text: '2.5' },
        ],
      },
      { path: 'destinations', before: ['self'], after: ['self', 'pacs'], text: null },
      { path: 'stop', before: null, after: true, text: null },
    ])
    expect(diffRoutes(after, after)).toEqual([])
  })

  it('of texts puts both together again', () => {
    const word = fc.constantFrom('a', 'b', ' ', '&& ', '"x y" ', '==')
    const text = fc.array(word, { maxLength: 12 }).map((words) => words.join(''))
    fc.assert(
      fc.property(text, text, (before, after) => {
        const parts = diffTexts(before, after)
        const of = (kind: string) =>
          parts
            .filter((p) => p.kind !== kind)
            .map((p) => p.text.replaceAll(/\s/g, ''))
            .join('')
        expect(of('added')).toBe(before.replaceAll(/\s/g, ''))
        expect(
          parts
            .filter((p) => p.kind !== 'removed')
            .map((p) => p.text)
            .join(''),
        ).toBe(after)
      }),
    )
  })
})
