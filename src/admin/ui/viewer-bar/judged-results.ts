import { call } from '../api/call.ts'
import type { PipelineVersion, Result } from '../api/schema.ts'
import { currentResults, resultName } from '../pages/study/names.ts'
import type { Feedback } from '../parts/feedback.ts'
import { pipelineDigest, pipelineName } from '../words.ts'

/** A result with what its readers said of it, the newest first. */
export interface JudgedResult {
  sopInstanceUID: string
  name: string
  /** `Lung density 1.2.0`. */
  algorithm: string
  given: Feedback[]
}

/** The studies that OHIF shows, from its address: `?StudyInstanceUIDs=1.2,1.3`, also several times. */
export function openStudies(search: string): string[] {
  const found = [...new URLSearchParams(search)].flatMap(([name, value]) =>
    name.toLowerCase() === 'studyinstanceuids' ? value.split(',') : [],
  )
  return [...new Set(found)].filter((uid) => /^[0-9]+(\.[0-9]+)*$/.test(uid))
}

/** What pipelines made of the studies, as it holds now. @throws Problem */
export async function judgedResults(studies: readonly string[]): Promise<JudgedResult[]> {
  const [{ pipelines }, ...found] = await Promise.all([call('GET /pipelines'), ...studies.map(ofStudy)])
  return found.flat().map(({ result, given }) => ({
    sopInstanceUID: result.sopInstanceUID,
    name: resultName(result),
    algorithm: algorithmName(result, pipelines),
    given,
  }))
}

async function ofStudy(studyInstanceUID: string): Promise<{ result: Result; given: Feedback[] }[]> {
  const [timeline, { feedback }] = await Promise.all([
    call('GET /studies/{studyInstanceUID}', { path: { studyInstanceUID } }),
    call('GET /feedback', { query: { studyInstanceUID, limit: 200 } }),
  ])
  return currentResults(timeline).map((result) => ({
    result,
    given: feedback.filter(({ sopInstanceUID }) => sopInstanceUID === result.sopInstanceUID),
  }))
}

/** The title and version, where the pipeline is still installed; else its name and the beginning of its digest. */
function algorithmName({ pipeline }: Result, installed: readonly PipelineVersion[]): string {
  const known = installed.find(({ digest }) => pipeline.endsWith(digest))
  return known ? `${known.title} ${known.version}` : `${pipelineName(pipeline)} ${pipelineDigest(pipeline)}`.trim()
}
