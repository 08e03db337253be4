import { SOP } from '../dicom/sop-class.ts'
import { TS } from '../dicom/transfer-syntax.ts'
import { commandField, encodeCommandSet, noDataSet } from './command-set.ts'
import type { ScuOptions } from './scu-options.ts'
import { dimseStatus } from './status.ts'
import { withAssociation } from './with-association.ts'

/**
 * C-ECHO: does the peer answer?
 * @returns the response's status (0 is Success) and the time that it took, association included, in ms
 * @throws {DimseError} `connection-failed`, `association-rejected`, `association-lost`, `time-out`, `cancelled`
 */
export async function echo(options: ScuOptions): Promise<{ status: number; ms: number }> {
  const began = performance.now()
  const contexts = [{ id: 1, abstractSyntax: SOP.verification, transferSyntaxes: [TS.implicitVRLittleEndian] }]
  return await withAssociation(options, { contexts }, async (association) => {
    const { id } = association.contextFor(SOP.verification)
    const command = encodeCommandSet([
      [0x0002, SOP.verification],
      [0x0100, commandField.cEchoRQ],
      [0x0110, association.nextMessageID()],
      [0x0800, noDataSet],
    ])
    await association.writeMessage(id, command)
    const { status } = await association.response()
    return { status: status ?? dimseStatus.processingFailure, ms: performance.now() - began }
  })
}
