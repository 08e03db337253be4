import type { ServiceProvider } from '../dimse/service.ts'
import { availabilityProvider } from './availability-provider.ts'
import { type CommitmentProviderOptions, commitmentProvider } from './commitment-provider.ts'
import { mppsProvider } from './mpps-provider.ts'
import { queryProvider } from './query-provider.ts'
import { getProvider, moveProvider, type RetrieveProviderOptions } from './retrieve-provider.ts'

/** The services that the receiving process offers beyond Verification and Storage. */
export function receiverServices(options: RetrieveProviderOptions & CommitmentProviderOptions): ServiceProvider[] {
  return [
    queryProvider(options),
    moveProvider(options),
    getProvider(options),
    commitmentProvider(options),
    mppsProvider(options),
    availabilityProvider(options),
  ]
}
