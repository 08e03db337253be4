import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { parse } from 'yaml'
import { print } from './arguments.ts'
import { askNode, type NodeApi } from './node-api.ts'

interface Checked {
  questions: { id: string; text: string; choices: string[]; proposal: string | null; answer: string | null }[]
  answered: boolean
  problems: string[]
  notes: string[]
  todo: string[]
  installable: boolean
}

/**
 * `hilum pipeline install`: uploads an archive or an ONNX file to the running node, which checks and installs it.
 * @returns exit code: 0 it is installed; 1 something has to be answered or is wrong, which is said
 */
export async function installOnNode(
  api: NodeApi,
  file: string,
  { name, kind, answers }: { name?: string | undefined; kind?: string | undefined; answers?: string | undefined },
): Promise<number> {
  const given = answers === undefined ? {} : textsOf(parse(await readFile(answers, 'utf8')))
  const bytes = Readable.toWeb(createReadStream(file)) as ReadableStream
  const where = `/pipelines/uploads?file=${encodeURIComponent(path.basename(file))}`
  const { id } = (await (await askNode(api, where, { method: 'POST', bytes })).json()) as { id: string }
  const body = { ...(name === undefined ? {} : { name }), ...(kind === undefined ? {} : { kind }), answers: given }
  const checked = (await (
    await askNode(api, `/pipelines/uploads/${id}/check`, { method: 'POST', body })
  ).json()) as Checked
  for (const { id: question, answer } of checked.questions) if (answer !== null) print(`${question}: ${answer}`)
  for (const note of checked.notes) print(`note: ${note}`)
  for (const sentence of checked.todo) print(`to do: ${sentence}`)
  for (const problem of checked.problems) process.stderr.write(`${problem}\n`)
  for (const { id: question, text, choices, answer } of checked.questions)
    if (answer === null)
      process.stderr.write(
        `${question}: an answer is needed (--answers FILE): ${text}${choices.length > 0 ? ` (${choices.join(' | ')})` : ''}\n`,
      )
  if (!checked.installable) {
    await askNode(api, `/pipelines/uploads/${id}`, { method: 'DELETE' })
    return 1
  }
  const response = await askNode(api, `/pipelines/uploads/${id}/install`, { method: 'POST', body })
  const installed = (await response.json()) as { name: string; version: string; digest: string }
  print(`${installed.name}  ${installed.version}  ${installed.digest}`)
  return 0
}

/** `hilum pipeline enable` and `disable`. @param reference `name@1.2.0` */
export async function switchOnNode(
  api: NodeApi,
  what: 'enable' | 'disable',
  { name, version, reason }: { name: string; version: string; reason: string | undefined },
): Promise<number> {
  const where = `/pipelines/${encodeURIComponent(name)}/versions/${encodeURIComponent(version)}/${what}`
  await askNode(api, where, { method: 'POST', ...(what === 'disable' && { body: { reason: reason ?? null } }) })
  return 0
}

/** Answers as texts: numbers and lists are written as people say them. */
function textsOf(content: unknown): Record<string, string> {
  if (typeof content !== 'object' || content === null) return {}
  return Object.fromEntries(
    Object.entries(content).map(([id, value]) => [
      id,
      typeof value === 'boolean' ? (value ? 'yes' : 'no') : [value].flat(2).map(String).join(', '),
    ]),
  )
}
