import { BlockList, isIP } from 'node:net'
import type { Refusal } from '../dimse/association-negotiation.ts'
import type { Permission } from '../dimse/service.ts'
import type { AdmittedRemote, ReceiverOptions, UnknownCallers } from './receiver-options.ts'

/** Why an association is refused, or what the caller may do. */
export type Judgement = { refusal: Refusal; sentence: string } | { permissions: ReadonlySet<Permission> }

/** An entry of the list of remotes, ready to be compared with. */
interface Rule {
  /** null: any address. */
  addresses: BlockList | null
  may: readonly Permission[]
}

/** Decides from AE titles and address whether an association may be opened, and for what. */
export class Admission {
  readonly #options: Pick<ReceiverOptions, 'aeTitle' | 'acceptAnyCalledAE'>
  #unknownCallers: UnknownCallers = 'reject'
  /** An AE title may be listed several times, with different addresses. */
  #rules: ReadonlyMap<string, readonly Rule[]> = new Map()

  constructor(options: Pick<ReceiverOptions, 'aeTitle' | 'acceptAnyCalledAE' | 'unknownCallers' | 'remotes'>) {
    this.#options = options
    this.update(options)
  }

  /** Who may call from now on, instead of who might until now. */
  update({ remotes, unknownCallers }: { remotes: readonly AdmittedRemote[]; unknownCallers: UnknownCallers }): void {
    const rules = new Map<string, Rule[]>()
    for (const remote of remotes) {
      const rule = { addresses: addressesOf(remote), may: remote.may ?? (['store'] as const) }
      rules.set(remote.aeTitle, [...(rules.get(remote.aeTitle) ?? []), rule])
    }
    this.#rules = rules
    this.#unknownCallers = unknownCallers
  }

  /**
   * @param address the caller's IP address
   * @returns what the caller may do: an unknown one on this machine everything, one from elsewhere nothing but store; or which title
   * is refused, and why
   */
  judge(caller: { callingAETitle: string; calledAETitle: string }, address: string): Judgement {
    const { aeTitle, acceptAnyCalledAE } = this.#options
    if (caller.calledAETitle !== aeTitle && !acceptAnyCalledAE)
      return { refusal: 'called-ae-title', sentence: `the called AE title is not ${aeTitle}` }
    const rules = this.#rules.get(caller.callingAETitle)
    if (rules === undefined) return this.#judgeUnknown(address)
    const matching = rules.filter(({ addresses }) => addresses === null || contains(addresses, address))
    if (matching.length > 0) return { permissions: new Set(matching.flatMap(({ may }) => may)) }
    return { refusal: 'calling-ae-title', sentence: 'the calling AE title is configured for other addresses' }
  }

  #judgeUnknown(address: string): Judgement {
    const local = contains(loopback, address)
    if (local && this.#unknownCallers !== 'reject') return { permissions: everything }
    if (this.#unknownCallers === 'accept') return { permissions: storeOnly }
    return { refusal: 'calling-ae-title', sentence: 'the calling AE title is not configured' }
  }
}

const everything: ReadonlySet<Permission> = new Set<Permission>(['store', 'query', 'retrieve'])
const storeOnly: ReadonlySet<Permission> = new Set<Permission>(['store'])

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

function contains(list: BlockList, address: string): boolean {
  const version = isIP(address)
  return version !== 0 && list.check(address, version === 6 ? 'ipv6' : 'ipv4')
}

function addressesOf(remote: AdmittedRemote): BlockList | null {
  if (!remote.addresses?.length) return null
  const list = new BlockList()
  for (const entry of remote.addresses) {
    const [network = '', prefix] = entry.split('/')
    const family = isIP(network) === 6 ? 'ipv6' : 'ipv4'
    if (prefix === undefined) list.addAddress(network, family)
    else list.addSubnet(network, Number(prefix), family)
  }
  return list
}
