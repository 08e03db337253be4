import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'
import { messageOf } from '../errors.ts'
import { SendError } from './target.ts'

export interface Address {
  address: string
  family: 4 | 6
}

/** Where a webhook may not go unless the settings allow it: this machine, and what is only on its own link (such as the services of a cloud). */
const local = new BlockList()
local.addSubnet('0.0.0.0', 8)
local.addSubnet('127.0.0.0', 8)
local.addSubnet('169.254.0.0', 16)
local.addSubnet('224.0.0.0', 4)
local.addSubnet('240.0.0.0', 4)
local.addAddress('::', 'ipv6')
local.addAddress('::1', 'ipv6')
local.addSubnet('fe80::', 10, 'ipv6')
local.addSubnet('ff00::', 8, 'ipv6')
// Addresses of the old kind in the clothes of the new (NAT64, 6to4, compatible).
local.addSubnet('64:ff9b::', 96, 'ipv6')
local.addSubnet('2002::', 16, 'ipv6')
local.addSubnet('::', 96, 'ipv6')

/** The addresses of a host, all of them. @throws SendError of the stage `address` */
export async function addressesOf(host: string, { allowLocal }: { allowLocal: boolean }): Promise<Address[]> {
  const bare = host.replace(/^\[(.*)\]$/, '$1')
  const family = isIP(bare)
  const found = family === 0 ? await resolve(bare) : [{ address: bare, family: family as 4 | 6 }]
  const refused = found.find(({ address }) => isLocal(address))
  if (refused && !allowLocal)
    throw new SendError(
      'address',
      `${bare} is ${refused.address}, on this machine or its own link: notify.allowLocal permits that`,
      { permanent: true },
    )
  return found
}

/** Whether an address is of this machine, or only reaches what is on its link. */
export function isLocal(address: string): boolean {
  const [bare = ''] = address.split('%')
  return local.check(bare, isIP(bare) === 6 ? 'ipv6' : 'ipv4')
}

async function resolve(host: string): Promise<Address[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }))
  } catch (cause) {
    throw new SendError('address', `${host} has no address: ${messageOf(cause)}`, { cause })
  }
}
