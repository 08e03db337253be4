import { describe, expect, it } from 'vitest'
import { isLocal } from '../../src/notify/addresses.ts'
import { templateProblems } from '../../src/notify/placeholders.ts'
import { fillIn } from '../../src/notify/template.ts'
import { temporaryStore } from '../support/temporary-store.ts'
import { notifyCases } from './notify-cases.ts'

describe('notifications', () => notifyCases(temporaryStore))

describe('templates', () => {
  const values = { name: '<img onerror="x">\n"', none: null, list: [{ value: 1 }, { value: 2 }], yes: true, no: false }

  it.each([
    ['html', '<b>{{name}}</b>', '<b>&#60;img onerror&#61;&#34;x&#34;&#62;\n&#34;</b>'],
    ['json', '{"a":"{{name}}"}', '{"a":"<img onerror=\\"x\\">\\n\\""}'],
    ['line', '{{name}}', '<img onerror="x"> "'],
    [
      'plain',
      '{{none}}{{unknown}}{{#yes}}a{{/yes}}{{#no}}b{{/no}}{{^no}}c{{/no}}{{#list}}{{value}},{{/list}}',
      'ac1,2,',
    ],
    ['plain', '{{#list}}{{value}}{{yes}}{{/list}}', '1true2true'],
    ['plain', '{{constructor}}{{#list}}{{length}}{{/list}}', ''],
  ] as const)('fills in %s: %s', (escaping, text, filled) => {
    expect(fillIn(text, values, escaping)).toBe(filled)
  })

  it.each([
    ['{{#route}}', 'is not ended'],
    ['{{/route}}', 'ends nothing'],
    ['{{a.b}}', 'is no placeholder'],
    ['{{patientName}}', 'who the patient is'],
    ['{{nobody}}', 'no placeholder {{nobody}}'],
  ])('refuses %s', (text, problem) => {
    expect(templateProblems({ subject: text, text: '', html: null, json: null }, { phi: false }).join()).toContain(
      problem,
    )
  })
})

it.each([
  ['127.0.0.1', true],
  ['169.254.169.254', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['fe80::1%eth0', true],
  ['0.0.0.0', true],
  ['10.0.0.9', false],
  ['192.0.2.1', false],
  ['2001:db8::1', false],
])('%s is of this machine or its link: %s', (address, is) => {
  expect(isLocal(address)).toBe(is)
})
