import { stat } from 'node:fs/promises'
import { textOf } from '../dicom/dataset.ts'
import type { DicomJson } from '../dicom/dicom-json.ts'
import { readInstanceFile } from '../dicom/instance-file.ts'
import { HilumError, messageOf } from '../errors.ts'
import { seriesColumns, studyColumns } from '../receive/index-header.ts'
import { dayOf } from '../route/dates.ts'
import type { RoutableStudy } from '../route/study-facts.ts'
import { filesUnder } from './files-under.ts'

/**
 * The studies in a DICOM file or in a folder, as routes would see them if the files were sent in the order of their paths.
 * Files that cannot be read are named on standard error and left out.
 * @throws HilumError `no-instances`
 */
export async function studiesIn(fileOrFolder: string): Promise<RoutableStudy[]> {
  const found = await stat(fileOrFolder).catch(() => null)
  if (!found) throw new HilumError('no-instances', `${fileOrFolder}: no such file or folder, and no UID`)
  const files = found.isDirectory() ? await filesUnder(fileOrFolder) : [fileOrFolder]
  const studies = new Map<string, RoutableStudy>()
  for (const file of files) {
    try {
      addInstance(studies, (await readInstanceFile(file)).elements)
    } catch (error) {
      process.stderr.write(`${file}: left out: ${messageOf(error)}\n`)
    }
  }
  if (studies.size === 0) throw new HilumError('no-instances', `${fileOrFolder}: no DICOM file there`)
  return [...studies.values()]
}

function addInstance(studies: Map<string, RoutableStudy>, elements: DicomJson): void {
  const studyInstanceUID = textOf(elements, 'StudyInstanceUID')
  const seriesInstanceUID = textOf(elements, 'SeriesInstanceUID')
  if (studyInstanceUID === null || seriesInstanceUID === null) {
    throw new HilumError('no-instances', 'Study Instance UID or Series Instance UID is missing')
  }
  let study = studies.get(studyInstanceUID)
  if (!study) {
    study = {
      studyInstanceUID,
      header: JSON.parse(studyColumns(elements).header) as DicomJson,
      series: [],
      today: dayOf(new Date()),
    }
    studies.set(studyInstanceUID, study)
  }
  const series = study.series.find((s) => s.seriesInstanceUID === seriesInstanceUID)
  if (series) series.instances++
  else
    study.series.push({
      seriesInstanceUID,
      header: JSON.parse(seriesColumns(elements).header) as DicomJson,
      instances: 1,
    })
}
