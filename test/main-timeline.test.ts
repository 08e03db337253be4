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
  patient: {
    patientName: 'Somebody^Secret',
    patientNameIdeographic: null,
    patientNamePhonetic: null,
    patientID: '1',
    patientBirthDate: null,
    patientSex: null,
  },
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
      seriesNumber: 2,
      seriesDescription: null,
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
      standsFrom: null,
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
      shadow: false,
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
      shadow: false,
      urgent: false,
      deliveries: [{ destination: 'self', state: 'verified', proof: 'QIDO-RS lists it', error: null, at }],
    },
  ],
  findings: [
    {
      pipeline: 'p',
      name: 'Total lung volume',
      value: 4.31,
      unit: 'L',
      code: 'x:1',
      site: null,
      revision: 1,
      current: true,
    },
  ],
  shadowFindings: [],
  events: [{ at, kind: 'replaced', sentence: 'an instance came again with other bytes' }],
}

it('a timeline reads from arrival to delivery, with the values that decided', () => {
  const text = timelineText(timeline)
  const order = [
    '143 instances',
    '2024-01-31T10:00:00Z  143 of CT series 2.25.2',
    'CT1@10.0.0.5, 2 identical',
    'quiet 5 s',
    'matched  lung-density',
    'series.Modality = "CT"',
  ]
  order.push(
    'refused  inference ct-lung-density@sha256:00: slices of 10 mm',
    '4.1 s on cpu',
    'SEG  segmentation  2.25.3 (supersedes 2.25.9)',
    'self: verified',
    'Total lung volume: 4.31 L',
    'other bytes',
  )
  const places = order.map((part) => text.indexOf(part))
  expect(places.every((place) => place >= 0)).toBe(true)
  expect(places).toEqual(places.toSorted((a, b) => a - b))
  expect(text).not.toContain('Secret')
})

it('a study of several revisions says which one each thing is of, and what stands', () => {
  const [decision, job, result, finding] = [
    timeline.decisions[0],
    timeline.jobs[0],
    timeline.results[0],
    timeline.findings[0],
  ] as [
    Timeline['decisions'][number],
    Timeline['jobs'][number],
    Timeline['results'][number],
    Timeline['findings'][number],
  ]
  const text = timelineText({
    ...timeline,
    revision: 3,
    revisions: [3, 2, 1].map((revision) => ({ revision, at, reason: 'quiet 5 s', instances: 140 + revision })),
    decisions: [{ ...decision, revision: 3, standsFrom: 2, reason: 'its results stand' }],
    jobs: [{ ...job, revision: 2 }],
    results: [
      { ...result, revision: 2, sopInstanceUID: '2.25.5', supersedes: '2.25.3' },
      { ...result, supersedes: null },
    ],
    findings: [
      { ...finding, name: 'Emphysema index', unit: '%', value: 12.34567, revision: 2 },
      { ...finding, name: 'Mean lung density', unit: "[hnsf'U]", value: -843.7, revision: 2 },
      { ...finding, name: 'Surface', unit: 'mm2', value: 0.012345, revision: 2 },
      { ...finding, name: 'Nodules', unit: '1', value: 3, revision: 2 },
      { ...finding, current: false },
    ],
  })
  for (const line of [
    '2024-01-31T10:00:00Z  revision 2, 142 instances: quiet 5 s',
    'revision 3  matched  lung-density: its results stand',
    'revision 2  refused  inference',
    'revision 2  SEG  segmentation  2.25.5 (supersedes 2.25.3; stands in revision 3)',
    'revision 1  SEG  segmentation  2.25.3 (superseded by 2.25.5)',
    'findings (AI, unverified)\n  Emphysema index: 12.3 %\n  Mean lung density: -844 HU\n  Surface: 0.012 mm²\n  Nodules: 3\n',
    'findings of earlier revisions, replaced\n  revision 1  Total lung volume: 4.31 L\n',
  ])
    expect(text).toContain(line)
})

it('a study without anything yet has no empty headings', () => {
  const empty = {
    ...timeline,
    completion: null,
    revisions: [],
    revision: 0,
    arrivals: [],
    decisions: [],
    jobs: [],
    results: [],
    findings: [],
    events: [],
    instances: 1,
  }
  expect(timelineText(empty).split('\n')).toEqual(['study 2.25.1', '  done, no revision yet, 1 instance'])
})
