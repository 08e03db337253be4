import { finishSteps } from '../finish/steps.ts'
import { quantities } from '../measure/quantities.ts'
import { prepareSteps } from '../prepare/steps.ts'
import { pipelineSchemaOf } from './pipeline.ts'

/** Every step and quantity that there is. */
export const tables = { prepareSteps, finishSteps, quantities }

/** The schema of pipeline.yaml. */
export const pipelineSchema = pipelineSchemaOf(tables)
