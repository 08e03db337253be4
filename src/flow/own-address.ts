import { lookup } from 'node:dns/promises'
import { networkInterfaces } from 'node:os'

/** Where the node itself listens. */
export interface OwnAddress {
  /** As in the settings: an address, a name, or 0.0.0.0 or :: for every address of the machine. */
  host: string
  port: number
}

/**
 * True for a URL under which the node would reach itself, as far as its names and addresses tell: what stands behind a proxy is not
 * seen.
 */
export async function isOwnAddress(url: string, own: OwnAddress): Promise<boolean> {
  const { protocol, hostname, port } = new URL(url)
  if (Number(port || { 'http:': 80, 'https:': 443 }[protocol]) !== own.port) return false
  const named = await addressesOf(hostname.replace(/^\[(.*)\]$/, '$1'))
  const isAny = own.host === '0.0.0.0' || own.host === '::'
  const ours = isAny ? addressesOfMachine() : await addressesOf(own.host)
  return named.some((address) => ours.includes(address) || (isAny && address.startsWith('127.')))
}

/** None for a name that nobody knows. */
async function addressesOf(host: string): Promise<string[]> {
  const found = await lookup(host, { all: true }).catch(() => [])
  return found.map(({ address }) => address)
}

function addressesOfMachine(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address))
}
