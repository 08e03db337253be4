import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Config } from '../../src/config.ts'
import { Remotes } from '../../src/flow/remotes.ts'
import { silentLog } from '../../src/log.ts'
import type { AdmittedRemote } from '../../src/receive/receiver-options.ts'
import type { TemporaryStore } from '../support/temporary-store.ts'

const config = {
  aeTitle: 'HILUM',
  dimse: { unknownCallers: 'reject', acceptAnyCalledAETitle: false },
  remotes: [{ aeTitle: 'CT1', addresses: ['10.0.0.5'], may: ['store'], port: 104 }],
} as unknown as Config
const stranger = { callingAETitle: 'MR7', calledAETitle: 'HILUM', address: '10.0.0.7' }
const at = (second: number) => new Date(Date.UTC(2026, 10, 21, 12, 0, second)).toISOString()

/** What remotes have to do on every database. */
export function remotesCases(open: () => Promise<TemporaryStore>): void {
  let store: TemporaryStore
  let remotes: Remotes
  let now = new Date(at(0))
  let news = 0
  const make = () =>
    new Remotes({ config, database: store.database, log: silentLog, now: () => now, onNews: () => news++ })

  beforeEach(async () => {
    store = await open()
    now = new Date(at(0))
    news = 0
    remotes = make()
  })
  afterEach(async () => {
    await remotes.stop()
    await store.dispose()
  })

  describe('who may call', () => {
    it('is told at once, and read by every process', async () => {
      const told: AdmittedRemote[][] = []
      const other = make()
      remotes.onChange((admitted) => told.push(admitted))
      const added = await remotes.add({ aeTitle: ' MR1 ', addresses: ['10.1.0.0/16'], may: ['query'] }, 'anna')
      expect(added).toMatchObject({ aeTitle: 'MR1', host: null, port: 104, tls: null, origin: 'api' })
      await other.refresh()
      expect(other.list()).toEqual(remotes.list())
      await other.replace({ aeTitle: 'MR1', host: 'mr1', may: ['store'] }, 'anna')
      await remotes.refresh()
      await remotes.remove('MR1')
      const file = { aeTitle: 'CT1', addresses: ['10.0.0.5'], may: ['store'] }
      expect(told.map((admitted) => admitted.filter(({ aeTitle }) => aeTitle !== 'CT1'))).toEqual([
        [],
        [{ aeTitle: 'MR1', addresses: ['10.1.0.0/16'], may: ['query'] }],
        [{ aeTitle: 'MR1', addresses: [], may: ['store'] }],
        [],
      ])
      expect(told.at(-1)).toEqual([file])
    })

    it('is what the file says where both say something', async () => {
      await store.database('remotes').insert({
        ae_title: 'CT1',
        addresses: '[]',
        may: '["retrieve"]',
        port: 104,
        author: 'before',
        created_at: at(0),
        updated_at: at(0),
      })
      await remotes.refresh()
      expect(remotes.list()).toMatchObject([{ aeTitle: 'CT1', may: ['store'], origin: 'file' }])
      for (const act of [
        () => remotes.add({ aeTitle: 'CT1' }, 'anna'),
        () => remotes.replace({ aeTitle: 'CT1' }, 'anna'),
        () => remotes.remove('CT1'),
      ])
        await expect(act()).rejects.toMatchObject({ code: 'remote-in-file' })
    })

    it('is not changed by what makes no sense', async () => {
      await remotes.add({ aeTitle: 'MR1' }, 'anna')
      const refusals: [() => Promise<unknown>, string][] = [
        [() => remotes.add({ aeTitle: 'MR1' }, 'anna'), 'remote-exists'],
        [() => remotes.add({ aeTitle: 'a title that is too long' }, 'anna'), 'invalid-ae-title'],
        [() => remotes.add({ aeTitle: 'MR2', addresses: ['10.0.0.0/33'] }, 'anna'), 'bad-definition'],
        [() => remotes.add({ aeTitle: 'MR2', tls: { ca: '/nowhere/ca.pem' } }, 'anna'), 'bad-definition'],
        [() => remotes.replace({ aeTitle: 'MR2' }, 'anna'), 'remote-unknown'],
        [() => remotes.remove('MR2'), 'remote-unknown'],
        [() => remotes.echo('MR2'), 'remote-unknown'],
        [() => remotes.echo('MR1'), 'remote-without-host'],
        [() => remotes.admit(4711, undefined, 'anna'), 'refusal-unknown'],
        [() => remotes.forget(4711), 'refusal-unknown'],
      ]
      for (const [act, code] of refusals) await expect(act()).rejects.toMatchObject({ code })
      expect(remotes.list().map(({ aeTitle }) => aeTitle)).toEqual(['CT1', 'MR1'])
    })
  })

  describe('refused callers', () => {
    const refuse = (sender: Partial<typeof stranger>, second = 0, reason = 'the calling AE title is not configured') =>
      remotes.refusals.add({ sender: { ...stranger, ...sender }, at: at(second), reason })
    const rows = () => store.database('refused_callers').count({ n: '*' }).sum({ times: 'times' }).first()

    it('are counted, and listed with the last refused first', async () => {
      for (const second of [1, 2, 3]) {
        refuse({}, second)
        if (second === 2) await remotes.refusals.flush()
      }
      refuse({ callingAETitle: 'MR8' }, 2)
      expect(await remotes.refused()).toMatchObject([
        { callingAETitle: 'MR7', address: '10.0.0.7', times: 3, firstAt: at(1), lastAt: at(3) },
        { callingAETitle: 'MR8', times: 1, firstAt: at(2), lastAt: at(2) },
      ])
    })

    it('that make up AE titles get few rows, and few writes', async () => {
      let writes = 0
      store.database.on('query', () => writes++)
      for (let n = 0; n < 5000; n++) refuse({ callingAETitle: `X${n}` }, n % 60)
      await remotes.refusals.flush()
      refuse({ callingAETitle: 'STRANGER' }, 60)
      await remotes.refusals.flush()
      expect(writes).toBeLessThan(6)
      expect(news).toBe(2)
      expect(await rows()).toMatchObject({ n: 21, times: 5001 })
      expect((await remotes.refused())[0]).toMatchObject({
        callingAETitle: '',
        address: '10.0.0.7',
        reason: expect.stringContaining('more than 20 different callers'),
      })
    })

    it('from ever new addresses get no more than 1000 rows, and the oldest go', async () => {
      for (let n = 0; n < 1300; n++) {
        refuse({ address: `10.9.${n >> 8}.${n & 255}` }, n)
        if (n % 100 === 99) await remotes.refusals.flush()
      }
      expect(await rows()).toMatchObject({ n: 1000 })
      expect(await store.database('refused_callers').min({ at: 'last_at' }).first()).toEqual({ at: at(300) })
      for (let n = 0; n < 5000; n++) refuse({ address: `10.8.${n >> 8}.${n & 255}` }, 2000)
      await remotes.refusals.flush()
      expect(await rows()).toMatchObject({ n: 1000 })
    })

    it('are admitted at their address, once and with what they may do', async () => {
      refuse({})
      refuse({ calledAETitle: 'HILUM' }, 1, 'the number of associations has reached its limit')
      const [first] = await remotes.refused()
      expect(await remotes.admit(first?.id ?? 0, ['store', 'query'], 'anna')).toMatchObject({
        aeTitle: 'MR7',
        addresses: ['10.0.0.7'],
        may: ['store', 'query'],
        origin: 'api',
      })
      expect(await remotes.refused()).toEqual([])
      refuse({ address: '10.0.0.8' }, 2)
      const [second] = await remotes.refused()
      await remotes.admit(second?.id ?? 0, undefined, 'anna')
      expect(remotes.find('MR7')).toMatchObject({ addresses: ['10.0.0.7', '10.0.0.8'], may: ['store', 'query'] })
    })

    it.each([
      ['that called another node', { calledAETitle: 'OTHER' }, 'admission-useless', 'it called OTHER'],
      ['that may call already', { callingAETitle: 'CT1', address: '10.0.0.5' }, 'admission-useless', 'may call'],
      ['that the file names', { callingAETitle: 'CT1', address: '10.0.0.6' }, 'remote-in-file', 'configuration file'],
    ])('%s are not admitted, with the reason', async (_, sender, code, message) => {
      refuse(sender)
      const [caller] = await remotes.refused()
      const refusal = { code, message: expect.stringContaining(message) }
      await expect(remotes.admit(caller?.id ?? 0, undefined, 'anna')).rejects.toMatchObject(refusal)
      await remotes.forget(caller?.id ?? 0)
      expect(await remotes.refused()).toEqual([])
    })
  })

  describe('what comes from each', () => {
    it('is counted by the day, and lately', async () => {
      const { counters } = remotes
      counters.count('CT1', { associations: 1 })
      counters.count('CT1', { instances: 10, bytes: 2 ** 33 })
      counters.count('MADE-UP-1', { refused: 1 })
      counters.count('MADE-UP-2', { refused: 1, rejected: 2 })
      now = new Date(now.getTime() + 59_000)
      counters.count('CT1', { instances: 5, bytes: 50 })
      expect((await counters.traffic())('CT1')).toEqual({
        associations: 1,
        refused: 0,
        instances: 15,
        bytes: 2 ** 33 + 50,
        rejected: 0,
        lastSeenAt: now.toISOString(),
        lastMinute: { instances: 15, bytes: 2 ** 33 + 50 },
        lastHour: { instances: 15, bytes: 2 ** 33 + 50 },
        lastDay: { instances: 15, bytes: 2 ** 33 + 50 },
      })
      now = new Date(now.getTime() + 59_000)
      const minuteLater = (await counters.traffic())('CT1')
      expect([minuteLater.lastMinute, minuteLater.lastHour.instances]).toEqual([{ instances: 5, bytes: 50 }, 15])
      now = new Date(now.getTime() + 25 * 3_600_000)
      counters.count('CT1', { instances: 1, bytes: 1 })
      const nextDay = (await counters.traffic())('CT1')
      expect([nextDay.lastHour.instances, nextDay.lastDay.instances, nextDay.instances]).toEqual([1, 1, 16])
      expect((await counters.traffic())('')).toMatchObject({ refused: 2, rejected: 2 })
      expect(await store.database('remote_days').orderBy(['day', 'ae_title']).pluck('instances')).toEqual([0, 15, 1])
    })

    it('is not lost when it cannot be written', async () => {
      const { counters } = remotes
      counters.count('CT1', { instances: 1, bytes: 1 })
      await store.database.schema.renameTable('remote_days', 'elsewhere')
      await counters.write()
      counters.count('CT1', { instances: 1, bytes: 1 })
      await store.database.schema.renameTable('elsewhere', 'remote_days')
      expect((await counters.traffic())('CT1')).toMatchObject({ instances: 2, bytes: 2 })
    })

    it('is forgotten after 400 days', async () => {
      remotes.counters.count('CT1', { instances: 1, bytes: 1 })
      await remotes.counters.write()
      now = new Date(now.getTime() + 401 * 86_400_000)
      remotes.counters.count('CT1', { instances: 2, bytes: 2 })
      expect((await remotes.counters.traffic())('CT1')).toMatchObject({ instances: 2, lastDay: { instances: 2 } })
    })
  })
}
