import { type ParseArgsConfig, parseArgs } from 'node:util'
import { type Config, loadConfig } from '../config.ts'
import { HilumError, messageOf } from '../errors.ts'

type ParseArgsOptionsConfig = NonNullable<ParseArgsConfig['options']>

/** What every command module exports, beside its name in the table of `main.ts`. */
export interface Command {
  /**
   * @param args what follows the command's name
   * @returns exit code: 0 done, 1 a problem
   * @throws UsageError for arguments that make no sense (exit code 2)
   */
  run(args: string[]): Promise<number>
}

/** The command line makes no sense: exit code 2, with the command's usage. */
export class UsageError extends HilumError<'usage'> {
  constructor(message: string, usage: string) {
    super('usage', message, { detail: { usage } })
  }
}

export const commonOptions = {
  config: { type: 'string', short: 'c' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies ParseArgsOptionsConfig

type Parsed<Options extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ options: Options & typeof commonOptions; allowPositionals: true; strict: true; args: string[] }>
>

/**
 * The options and names of a command; `--config FILE` and `--help` belong to every command.
 * @returns null when help was asked for; the usage is then printed
 * @throws UsageError
 */
export function readArguments<const Options extends ParseArgsOptionsConfig>(
  args: string[],
  usage: string,
  options: Options,
): Parsed<Options> | null {
  let parsed: Parsed<Options>
  try {
    parsed = parseArgs<{
      options: Options & typeof commonOptions
      allowPositionals: true
      strict: true
      args: string[]
    }>({
      args,
      options: { ...options, ...commonOptions },
      allowPositionals: true,
      strict: true,
    })
  } catch (error) {
    throw new UsageError(messageOf(error), usage)
  }
  if (!(parsed.values as { help?: boolean }).help) return parsed
  print(usage)
  return null
}

/** The configuration that the command was told to use. */
export function configOf(values: { config?: string | undefined }): Config {
  return loadConfig({ file: values.config, env: process.env })
}

/** One line (or more) of the command's own answer, on standard output. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
