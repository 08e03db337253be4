import { numberOf, textOf } from '../../dicom/dataset.ts'
import type { DicomJson } from '../../dicom/dicom-json.ts'
import type { InputOf } from '../manifest/input.ts'
import type { Frame } from './frame.ts'

/** A number of a frame that may tell the volumes of a sequence apart. */
export interface SequenceKey {
  /** What it is, for sentences. */
  name: string
  of(frame: Frame): number | null
}

const milliseconds = (value: number | null): number | null => (value === null ? null : value / 1000)

/** Days from 1970 of a date, seconds of a time (PS3.5 6.2, DA and TM; DT is both together). */
function secondsOf(date: string | null, time: string | null): number | null {
  const clock = /^(\d{2}):?(\d{2})?:?(\d{2})?(\.\d+)?/.exec(time ?? '')
  if (!clock) return null
  const [, hours, minutes = '0', seconds = '0', fraction = '0'] = clock
  const day = /^(\d{4})[.]?(\d{2})[.]?(\d{2})/.exec(date ?? '')
  const days = day ? Date.UTC(Number(day[1]), Number(day[2]) - 1, Number(day[3])) / 1000 : 0
  return days + Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds) + Number(fraction)
}

function ofDateTime(text: string | null): number | null {
  return text === null ? null : secondsOf(text.slice(0, 8), text.slice(8))
}

const frameContent = (frame: Frame): DicomJson => frame.group('FrameContentSequence')

/** Times of a frame, seconds, the surest first. */
export const times: readonly SequenceKey[] = [
  {
    name: 'Temporal Position Time Offset',
    of: (frame) => numberOf(frame.group('TemporalPositionSequence'), 'TemporalPositionTimeOffset'),
  },
  { name: 'Trigger Time', of: ({ file }) => milliseconds(numberOf(file.elements, 'TriggerTime')) },
  { name: 'Frame Reference Time', of: ({ file }) => milliseconds(numberOf(file.elements, 'FrameReferenceTime')) },
  {
    name: 'Frame Acquisition DateTime',
    of: (frame) => ofDateTime(textOf(frameContent(frame), 'FrameAcquisitionDateTime')),
  },
  { name: 'Acquisition DateTime', of: ({ file }) => ofDateTime(textOf(file.elements, 'AcquisitionDateTime')) },
  {
    name: 'Acquisition Time',
    of: ({ file: { elements } }) => secondsOf(textOf(elements, 'AcquisitionDate'), textOf(elements, 'AcquisitionTime')),
  },
  {
    name: 'Content Time',
    of: ({ file: { elements } }) => secondsOf(textOf(elements, 'ContentDate'), textOf(elements, 'ContentTime')),
  },
]

/** Numbers that put volumes into order without saying when they were. */
export const orders: readonly SequenceKey[] = [
  { name: 'Temporal Position Index', of: (frame) => numberOf(frameContent(frame), 'TemporalPositionIndex') },
  {
    name: 'Temporal Position Identifier',
    of: ({ file }) => numberOf(file.elements, 'TemporalPositionIdentifier'),
  },
]

/** What is left to order volumes by where nothing else differs. */
export const lastResorts: readonly SequenceKey[] = [
  { name: 'Acquisition Number', of: ({ file }) => numberOf(file.elements, 'AcquisitionNumber') },
  { name: 'Series Number', of: ({ file }) => numberOf(file.elements, 'SeriesNumber') },
  {
    name: 'Instance Number',
    of: (frame) => {
      const instance = numberOf(frame.file.elements, 'InstanceNumber')
      return instance === null ? null : instance * 65536 + (frame.number ?? 0)
    },
  },
]

const cardiac: readonly SequenceKey[] = [
  {
    name: 'Nominal Cardiac Trigger Delay Time',
    of: (frame) => numberOf(frame.group('CardiacSynchronizationSequence'), 'NominalCardiacTriggerDelayTime'),
  },
  { name: 'Trigger Time', of: ({ file }) => numberOf(file.elements, 'TriggerTime') },
  {
    name: 'Nominal Percentage of Cardiac Phase',
    of: (frame) => numberOf(frame.group('CardiacSynchronizationSequence'), 'NominalPercentageOfCardiacPhase'),
  },
]

/** The first number of a private element, whatever the creator says: these are where its maker has always put them. */
function privateNumber(elements: DicomJson, tag: string): number | null {
  const element = elements[tag]
  if (!element) return null
  const text = element.InlineBinary
    ? Buffer.from(element.InlineBinary, 'base64').toString('latin1')
    : element.Value?.[0]
  const first = typeof text === 'string' ? text.split('\\')[0] : text
  if (first === undefined || first === null || first === '') return null
  const number = Number(first)
  return Number.isFinite(number) ? number : null
}

function bValueOf(frame: Frame): number | null {
  const { elements } = frame.file
  const group = frame.group('MRDiffusionSequence')
  const standard = numberOf(group, 'DiffusionBValue') ?? numberOf(elements, 'DiffusionBValue')
  if (standard !== null) return standard
  // An enhanced frame without a b-value that says that it has no diffusion weighting.
  if (textOf(group, 'DiffusionDirectionality') === 'NONE') return 0
  const maker = (textOf(elements, 'Manufacturer') ?? '').toUpperCase()
  if (maker.includes('SIEMENS')) return privateNumber(elements, '0019100C')
  // GE adds 1e9 to values of more than one direction.
  if (maker.includes('GE')) return moduloBillion(privateNumber(elements, '00431039'))
  if (maker.includes('PHILIPS')) return privateFloat(elements, '20011003')
  return privateNumber(elements, '0019100C')
}

function moduloBillion(value: number | null): number | null {
  return value === null ? null : value % 1e9
}

/** A private element that is a float, or the bytes of one where the VR was lost. */
function privateFloat(elements: DicomJson, tag: string): number | null {
  const binary = elements[tag]?.InlineBinary
  if (binary === undefined) return privateNumber(elements, tag)
  const bytes = Buffer.from(binary, 'base64')
  return bytes.length === 4 ? bytes.readFloatLE(0) : null
}

const echo: readonly SequenceKey[] = [
  { name: 'Effective Echo Time', of: (frame) => numberOf(frame.group('MREchoSequence'), 'EffectiveEchoTime') },
  { name: 'Echo Time', of: ({ file }) => numberOf(file.elements, 'EchoTime') },
]

/** What volumes of each kind of sequence are told apart by, in order of preference. */
export const keysOf: Readonly<Record<InputOf<'sequence'>['by'], readonly SequenceKey[]>> = {
  time: [...orders, ...times, ...lastResorts],
  'cardiac-phase': cardiac,
  'b-value': [{ name: 'Diffusion b-value', of: bValueOf }],
  echo,
}

/** How long one volume takes, seconds, where the header says it: for sequences whose volumes carry no times. */
export function durationOf(frame: Frame): number | null {
  const { elements } = frame.file
  const resolution = numberOf(elements, 'TemporalResolution')
  if (resolution !== null && resolution > 0) return resolution / 1000
  // The repetition time of echo-planar imaging is that of a whole volume.
  const echoPlanar = (elements['00180020']?.Value ?? []).includes('EP')
  const repetition = numberOf(elements, 'RepetitionTime')
  return echoPlanar && repetition !== null && repetition > 0 ? repetition / 1000 : null
}
