import type { Plan } from './plan.ts'

/** The beginning of a pipeline's README: what is known, and headings for what only its maker knows. */
export function readmeText(plan: Plan): string {
  const list = (sentences: readonly string[]): string => sentences.map((sentence) => `- ${sentence}\n`).join('')
  return `# ${plan.name}

${plan.description}

**Intended use: research.** It is no medical device. Every result is unverified until a radiologist has confirmed it.

## Where it comes from

${plan.origin}

Training data, licence and publication: to be written.

## How it works

\`pipeline.yaml\` says every step. What to look at before it is trusted:

${list(plan.notes.length > 0 ? plan.notes : ['Compare its results with those of the code that trained the model, on the same images.'])}${
  plan.todo.length > 0 ? `\n## To be done\n\n${list(plan.todo)}` : ''
}
## What it refuses

The limits of \`inputs\` in \`pipeline.yaml\`. Add those of the training data: slice thickness, spacing, contrast agent, body part.

## How well it does

To be written: on which data, by which measure.
`
}
