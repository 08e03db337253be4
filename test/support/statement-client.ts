import { encodeDataSet } from '../../src/dicom/data-set-writer.ts'
import type { DicomJson } from '../../src/dicom/dicom-json.ts'
import { SOP } from '../../src/dicom/sop-class.ts'
import { type CommandSet, type CommandValue, commandField, encodeCommandSet } from '../../src/dimse/command-set.ts'
import { ScuAssociation } from '../../src/dimse/scu-association.ts'

const explicitLittleEndian = '1.2.840.10008.1.2.1'
const classes = [SOP.modalityPerformedProcedureStep, SOP.instanceAvailabilityNotification]

/** A modality or an archive that tells of procedure steps and available instances, by the node's own SCU. */
export class StatementClient {
  readonly #association: ScuAssociation

  private constructor(association: ScuAssociation) {
    this.#association = association
  }

  static async open(
    port: number,
    callingAETitle = 'CT1',
    transferSyntaxUID = explicitLittleEndian,
  ): Promise<StatementClient> {
    const contexts = classes.map((abstractSyntax, i) => ({
      id: 1 + 2 * i,
      abstractSyntax,
      transferSyntaxes: [transferSyntaxUID],
    }))
    const peer = { host: '127.0.0.1', port, callingAETitle, calledAETitle: 'HILUM' }
    return new StatementClient(await ScuAssociation.open(peer, { contexts }))
  }

  /** N-CREATE of a performed procedure step; without a UID the node makes one. */
  async create(sopInstanceUID: string | null, attributes: DicomJson): Promise<CommandSet> {
    return await this.#request(classes[0] as string, commandField.nCreateRQ, [0x1000, sopInstanceUID], attributes)
  }

  /** N-SET of a performed procedure step. */
  async set(sopInstanceUID: string, attributes: DicomJson): Promise<CommandSet> {
    return await this.#request(classes[0] as string, commandField.nSetRQ, [0x1001, sopInstanceUID], attributes)
  }

  /** N-CREATE of an availability notification. */
  async notify(attributes: DicomJson): Promise<CommandSet> {
    return await this.#request(classes[1] as string, commandField.nCreateRQ, [0x1000, null], attributes)
  }

  async release(): Promise<void> {
    await this.#association.release()
  }

  async #request(
    sopClassUID: string,
    field: number,
    [element, sopInstanceUID]: [element: number, value: string | null],
    attributes: DicomJson,
  ): Promise<CommandSet> {
    const { id, transferSyntax } = this.#association.contextFor(sopClassUID)
    const instance: [number, CommandValue][] = sopInstanceUID === null ? [] : [[element, sopInstanceUID]]
    const command = encodeCommandSet([
      [field === commandField.nSetRQ ? 0x0003 : 0x0002, sopClassUID],
      [0x0100, field],
      [0x0110, this.#association.nextMessageID()],
      [0x0800, 1],
      ...instance,
    ])
    await this.#association.writeMessage(id, command, encodeDataSet(attributes, transferSyntax))
    return await this.#association.response()
  }
}
