import type { Config } from '../config.ts'
import type { ReceiverOptions } from '../receive/receiver-options.ts'

/** The options of the receiving process, from the configuration. */
export function receiverOptions(config: Config): ReceiverOptions {
  const { dimse, receive } = config
  return {
    aeTitle: config.aeTitle,
    acceptAnyCalledAE: dimse.acceptAnyCalledAETitle,
    remotes: config.remotes.map(({ aeTitle, addresses, may }) => ({
      aeTitle,
      addresses: [...addresses],
      may: [...may],
    })),
    unknownCallers: dimse.unknownCallers,
    host: dimse.host,
    port: dimse.port,
    dataDir: config.dataDir,
    sync: receive.sync,
    journals: true,
    minimumFreeBytes: receive.minimumFree,
    emergencyFreeBytes: receive.emergencyFree,
    maxPdu: dimse.maxPduLength,
    maxAssociations: dimse.maxAssociations,
    maxPendingInstances: 10_000,
    transferSyntaxes: [...dimse.transferSyntaxes],
    asynchronousOperations: dimse.asynchronousOperations,
    userIdentity: { check: dimse.userIdentity.check, required: dimse.userIdentity.required },
    ...(dimse.tls && { tls: { ...dimse.tls } }),
    associationTimeoutMs: dimse.associationTimeout * 1000,
    idleTimeoutMs: dimse.idleTimeout * 1000,
    pduTimeoutMs: dimse.pduTimeout * 1000,
  }
}
