import { expect, it } from 'vitest'
import { timelineText } from '../src/commands/timeline-text.ts'
import type { Timeline } from '../src/store/timeline.ts'

const at = '2024-01-31T10:00:00.000Z'
const timeline: Timeline = {
  studyInstanceUID: '2.25.1',
  state: 'done',
  instances: 143,
  revision: 1,
  completion: { at, reason: 'quiet 5 s after association release' },
  revisions: [{ revision: 1, at, reason: 'quiet 5 s after association release', instances: 143 }],
  patient: { patientName: 'Somebody^Secret', patientID: '1', patientBirthDate: null, patientSex: null },
  studyDate: '20240131',
  studyDescription: null,
  accessionNumber: null,
  createdAt: at,
  updatedAt: at,
  arrivals: [
    {
      at,
      until: at,
      from: 'CT1@10.0.0.5',
      via: 'c-store',
      seriesInstanceUID: '2.25.2',
      modality: 'CT',
      instances: 143,
      identical: 2,
      replaced: 0,
    },
  ],
  decisions: [
    {
      route: 'lung-density',
      routeVersion: 1,
      revision: 1,
      at,
      matched: true,
      expression: 'series.Modality == "CT"',
      because: { 'series.Modality': 'CT' },
      series: { ct: '2.25.2' },
      reason: 'input "ct": series 2.25.2, the only series that satisfies the condition',
    },
  ],
  jobs: [
    {
      id: '1',
      kind: 'infer',
      pipeline: 'ct-lung-density@sha256:00',
      destination: null,
      route: 'lung-density',
      state: 'failed',
      refused: true,
      error: 'slices of 10 mm: at most 5 mm',
      revision: 1,
      createdAt: at,
      runAfter: at,
      startedAt: at,
      finishedAt: at,
      interruptions: 0,
      attempts: [{ at, ms: 4120, provider: 'cpu', error: null, log: null }],
    },
  ],
  results: [
    {
      sopInstanceUID: '2.25.3',
      sopClassUID: '1.2',
      seriesInstanceUID: '2.25.4',
      modality: 'SEG',
      role: 'segmentation',
      pipeline: 'p',
      supersedes: '2.25.9',
      revision: 1,
      deliveries: [{ destination: 'self', state: 'verified', proof: 'QIDO-RS lists it', error: null, at }],
    },
  ],
  findings: [
    { pipeline: 'p', name: 'Total lung volume', value: 4.31, unit: 'L', code: 'x:1', site: null, revision: 1 },
  ],
  events: [{ at, kind: 'replaced', sentence: 'an instance came again with other bytes' }],
}

it('a timeline reads from arrival to delivery, with the values that decided', () => {
  const text = timelineText(timeline)
  const order = [
    '143 instances',
    'CT1@10.0.0.5, 2 identical',
    'quiet 5 s',
    'matched  lung-density',
    'series.Modality = "CT"',
  ]
  order.push(
    'slices of 10 mm',
    '4120 ms on cpu',
    'SEG  2.25.3 (supersedes 2.25.9)',
    'self: verified',
    'Total lung volume: 4.31 L',
    'other bytes',
  )
  const places = order.map((part) => text.indexOf(part))
  expect(places.every((place) => place >= 0)).toBe(true)
  expect(places).toEqual(places.toSorted((a, b) => a - b))
  expect(text).not.toContain('Secret')
})

it('a study without anything yet has no empty headings', () => {
  const empty = {
    ...timeline,
    completion: null,
    arrivals: [],
    decisions: [],
    jobs: [],
    results: [],
    findings: [],
    events: [],
    instances: 1,
  }
  expect(timelineText(empty).split('\n')).toEqual(['study 2.25.1', '  done, revision 1, 1 instance'])
})
