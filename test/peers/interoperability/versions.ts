import { readFileSync } from 'node:fs'
import path from 'node:path'
import { repository } from '../../support/data.ts'
import { runProgram } from '../../support/programs.ts'

/** The versions of the clients, for people: they are not compared. */
export function versions(): string {
  const said = (program: string, args: string[], form: RegExp): string =>
    form.exec(runProgram(program, args).output)?.[1] ?? 'unknown'
  const packageFile = path.join(repository, 'node_modules', 'dicomweb-client', 'package.json')
  const debian = (name: string) => said('dpkg-query', ['-W', '-f', '${Version}', name], /^([\d.]+)/)
  const found = {
    dcmtk: said('storescu', ['--version'], /v(\d[\d.]*)/),
    gdcm: said('gdcmscu', ['--version'], /gdcm (\d[\d.]*)/),
    odil: debian('python3-odil'),
    Orthanc: said('Orthanc', ['--version'], /Orthanc (\d[\d.]*)/),
    'its DICOMweb plug-in': debian('orthanc-dicomweb'),
    'dicomweb-client': (JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }).version,
    pydicom: said('python3', ['-c', 'import pydicom; print(pydicom.__version__)'], /([\d.]+)/),
  }
  return `Versions: ${Object.entries(found)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}.`
}
