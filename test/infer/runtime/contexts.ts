import type { Model, ModelContext } from '../../../src/infer/runtime/model.ts'

/** What models need of a node, for tests. */
export function modelContext(folder: string, more: Partial<ModelContext> = {}): ModelContext {
  return { folder, providers: ['cpu'], threads: 1, temporaryFolder: folder, ...more }
}

/** Opens a model, uses it, and closes it. */
export async function using<Result>(opening: Promise<Model>, use: (model: Model) => Promise<Result>): Promise<Result> {
  const model = await opening
  try {
    return await use(model)
  } finally {
    await model.close()
  }
}
