import { BlockList, isIP } from 'node:net'
import type { Refusal } from '../dimse/association-negotiation.ts'
import type { AdmittedRemote, ReceiverOptions } from './receiver-options.ts'

type Judgement = { refusal: Refusal; sentence: string } | null

/** Decides from AE titles and address whether an association may be opened. */
export class Admission {
  readonly #options: Pick<ReceiverOptions, 'aeTitle' | 'acceptAnyCalledAE' | 'unknownCallers'>
  /** An AE title may be configured several times, with different addresses. Null: any address. */
  readonly #remotes = new Map<string, (BlockList | null)[]>()

  constructor(options: Pick<ReceiverOptions, 'aeTitle' | 'acceptAnyCalledAE' | 'unknownCallers' | 'remotes'>) {
    this.#options = options
    for (const remote of options.remotes) {
      const rules = this.#remotes.get(remote.aeTitle) ?? []
      rules.push(addressesOf(remote))
      this.#remotes.set(remote.aeTitle, rules)
    }
  }

  /**
   * @param address the caller's IP address
   * @returns null when the association may be opened, else which title is refused and why
   */
  judge(caller: { callingAETitle: string; calledAETitle: string }, address: string): Judgement {
    const { aeTitle, acceptAnyCalledAE, unknownCallers } = this.#options
    if (caller.calledAETitle !== aeTitle && !acceptAnyCalledAE)
      return { refusal: 'called-ae-title', sentence: `the called AE title is not ${aeTitle}` }
    const rules = this.#remotes.get(caller.callingAETitle)
    if (rules?.some((rule) => rule === null || contains(rule, address))) return null
    if (rules)
      return { refusal: 'calling-ae-title', sentence: 'the calling AE title is configured for other addresses' }
    if (unknownCallers === 'accept' || (unknownCallers === 'loopback' && contains(loopback, address))) return null
    return { refusal: 'calling-ae-title', sentence: 'the calling AE title is not configured' }
  }
}

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
