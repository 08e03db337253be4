import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { validate } from 'node-cron'
import type { z } from 'zod'
import type { ConfigProblem } from './config-error.ts'
import type { ConfigSchema } from './config-schema.ts'
import type { Path } from './config-source.ts'
import { suggestion } from './nearest-name.ts'

/** The sections of a configuration that are right by themselves. A check that needs another one is left out. */
export type SoundSections = Partial<z.output<ConfigSchema>>
/** Makes the problem of what stands at a path. */
export type Describe = (at: Path, expectation: string) => ConfigProblem

/** What no single setting can know: names that others refer to, files that belong together, folders that lie in one another. */
export function crossChecks(sections: SoundSections, describe: Describe): ConfigProblem[] {
  const checks = [
    destinationChecks,
    routeChecks,
    remoteChecks,
    listenerChecks,
    folderChecks,
    expectChecks,
    retentionChecks,
  ]
  return checks.flatMap((check) => check(sections, describe))
}

function destinationChecks({ destinations = {} }: SoundSections, describe: Describe): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  if (destinations.self && destinations.self.kind !== 'self')
    problems.push(describe(['destinations', 'self', 'kind'], 'expected self: the name stands for the node’s own store'))
  for (const [name, destination] of Object.entries(destinations))
    if (destination.kind === 'stow-rs' && destination.tls)
      problems.push(...pemChecks(destination.tls, ['destinations', name, 'tls'], describe))
  return problems
}

function routeChecks({ routes = [], destinations }: SoundSections, describe: Describe): ConfigProblem[] {
  const problems = repeated(routes, 'name').map((i) =>
    describe(['routes', i, 'name'], 'expected a name that no other route has'),
  )
  if (!destinations) return problems
  const known = ['self', ...Object.keys(destinations)]
  for (const [i, route] of routes.entries())
    for (const [j, name] of route.destinations.entries())
      if (!known.includes(name)) problems.push(unknownName(describe, ['routes', i, 'destinations', j], { name, known }))
  return problems
}

function remoteChecks({ remotes = [] }: SoundSections, describe: Describe): ConfigProblem[] {
  const problems = repeated(remotes, 'aeTitle').map((i) =>
    describe(['remotes', i, 'aeTitle'], 'expected each AE title once'),
  )
  for (const [i, { tls }] of remotes.entries())
    if (tls) problems.push(...pemChecks({ ...tls, cert: tls.certificate }, ['remotes', i, 'tls'], describe))
  return problems
}

function listenerChecks({ dimse }: SoundSections, describe: Describe): ConfigProblem[] {
  if (!dimse) return []
  const problems: ConfigProblem[] = []
  const { tls, userIdentity } = dimse
  if (tls) problems.push(...pemChecks({ ...tls, cert: tls.certificate }, ['dimse', 'tls'], describe))
  if (tls?.clientCertificate === 'required' && tls.ca === undefined)
    problems.push(describe(['dimse', 'tls', 'ca'], 'expected a file: client certificates are required'))
  if (userIdentity.check === 'authoriser' && userIdentity.authoriser === undefined)
    problems.push(
      describe(['dimse', 'userIdentity', 'authoriser'], 'expected a URL: user identities are checked there'),
    )
  return problems
}

/** A folder that lies in another one would have its files taken in twice; in the node's own, without end. */
function folderChecks({ receive, dataDir }: SoundSections, describe: Describe): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const places = dataDir === undefined ? [] : [{ place: path.resolve(dataDir), name: 'the data folder' }]
  for (const [i, folder] of (receive?.folders ?? []).entries()) {
    const place = path.resolve(folder.path)
    for (const other of places)
      if (isWithin(place, other.place) || isWithin(other.place, place))
        problems.push(
          describe(
            ['receive', 'folders', i, 'path'],
            `expected a folder apart from ${other.name}: one of the two lies in the other`,
          ),
        )
    places.push({ place, name: `receive.folders.${i}` })
  }
  return problems
}

function expectChecks({ assemble, destinations, remotes }: SoundSections, describe: Describe): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const stow = destinations && stowNames(destinations)
  const callable = remotes?.filter(({ host }) => host !== undefined).map(({ aeTitle }) => aeTitle)
  for (const [i, archive] of (assemble?.expect ?? []).entries()) {
    const [setting, name, known, what] =
      archive.kind === 'qido-rs'
        ? ['destination', archive.destination, stow, 'destination of kind stow-rs']
        : ['remote', archive.remote, callable, 'remote with a host']
    if (known && !known.includes(name))
      problems.push(unknownName(describe, ['assemble', 'expect', i, setting], { name, known, what }))
  }
  return problems
}

function retentionChecks({ retention = [], destinations }: SoundSections, describe: Describe): ConfigProblem[] {
  const problems = repeated(retention, 'name').map((i) =>
    describe(['retention', i, 'name'], 'expected a name that no other rule has'),
  )
  const known = destinations && stowNames(destinations)
  for (const [i, rule] of retention.entries()) {
    if (!validate(rule.schedule))
      problems.push(describe(['retention', i, 'schedule'], 'expected a cron expression, as in "30 2 * * *"'))
    if (rule.storedAt.length === 0)
      problems.push(
        describe(
          ['retention', i, 'storedAt'],
          'expected a destination: without proof that it is elsewhere nothing is deleted',
        ),
      )
    for (const which of ['verifiedAt', 'storedAt'] as const)
      for (const [j, name] of rule[which].entries())
        if (known && !known.includes(name))
          problems.push(
            unknownName(describe, ['retention', i, which, j], { name, known, what: 'destination of kind stow-rs' }),
          )
  }
  return problems
}

function stowNames(destinations: NonNullable<SoundSections['destinations']>): string[] {
  return Object.keys(destinations).filter((name) => destinations[name]?.kind === 'stow-rs')
}

function unknownName(
  describe: Describe,
  at: Path,
  { name, known, what = 'destination' }: { name: string; known: readonly string[]; what?: string },
): ConfigProblem {
  return describe(at, `no ${what} has this name${suggestion(name, known)}`)
}

/** Places of those that have the name of an earlier one. */
function repeated<Key extends string>(list: readonly Record<Key, string>[], key: Key): number[] {
  return [...list.keys()].filter((i) => list.findIndex((one) => one[key] === list[i]?.[key]) < i)
}

interface PemFiles {
  ca?: string | undefined
  cert?: string | undefined
  key?: string | undefined
}

/** Certificates and keys are used long after the start: what is wrong with them is told now. The files are known to be readable. */
function pemChecks({ ca, cert, key }: PemFiles, at: Path, describe: Describe): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const read = <T>(file: string | undefined, name: string, parse: (pem: Buffer) => T, expectation: string) => {
    try {
      return file === undefined ? null : parse(readFileSync(file))
    } catch {
      problems.push(describe([...at, name], expectation))
      return null
    }
  }
  const certificateName = at[0] === 'destinations' ? 'cert' : 'certificate'
  read(ca, 'ca', (pem) => new X509Certificate(pem), 'expected certificates in PEM')
  const certificate = read(cert, certificateName, (pem) => new X509Certificate(pem), 'expected a certificate in PEM')
  const privateKey = read(key, 'key', createPrivateKey, 'expected a private key in PEM, without a passphrase')
  if (certificate && privateKey && !certificate.checkPrivateKey(privateKey))
    problems.push(describe([...at, 'key'], `expected the private key of the certificate in ${certificateName}`))
  return problems
}

function isWithin(inner: string, outer: string): boolean {
  const relative = path.relative(outer, inner)
  return relative === '' || (!relative.startsWith(`..${path.sep}`) && relative !== '..' && !path.isAbsolute(relative))
}
