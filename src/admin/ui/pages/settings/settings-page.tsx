import { Skeleton, Switch, TextInput } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { useState } from 'react'
import { useSearchParams } from 'wouter'
import type { Setting } from '../../api/schema.ts'
import { useApi } from '../../api/use-api.ts'
import { Answer } from '../../parts/answer.tsx'
import { Page } from '../../parts/page.tsx'
import { Empty } from '../../parts/problem-alert.tsx'
import { SettingGroup, SettingLine } from './setting-lines.tsx'
import './settings.css'

/** The settings in force, to be read: each with where it came from. They are changed in the file, or by variables. */
export function SettingsPage() {
  const query = useApi('GET /settings')
  const [params, setParams] = useSearchParams()
  const [text, setText] = useState(params.get('search') ?? '')
  const onlyChanged = params.get('changed') === 'yes'
  const go = (search: string, changed: boolean) =>
    setParams({ ...(search ? { search } : {}), ...(changed ? { changed: 'yes' } : {}) }, { replace: true })
  return (
    <Page title="Settings" lead={query.data ? leadOf(query.data) : ' '}>
      <div className="settings">
        <div className="settings-bar">
          <TextInput
            className="settings-search"
            aria-label="Search the settings"
            placeholder="Name, or a word of the description"
            leftSection={<IconSearch size={16} aria-hidden />}
            value={text}
            onChange={(event) => {
              setText(event.currentTarget.value)
              go(event.currentTarget.value, onlyChanged)
            }}
          />
          <Switch
            label="Only what differs from the default"
            checked={onlyChanged}
            onChange={(event) => go(text, event.currentTarget.checked)}
          />
        </div>
        <Answer query={query} skeleton={<Skeleton height={520} radius="lg" />}>
          {({ settings }) => {
            const shown = filtered(settings, text.trim().toLowerCase(), onlyChanged)
            const isOpen = text.trim() !== '' || onlyChanged
            if (shown.length === 0)
              return (
                <div className="panel">
                  <Empty title="No setting matches">
                    {onlyChanged ? 'What is not listed has its default.' : 'Try another word.'}
                  </Empty>
                </div>
              )
            const plain = shown.filter(({ kind }) => kind !== 'group')
            return (
              <>
                {plain.length > 0 && (
                  <div className="panel settings-group">
                    {plain.map((setting) => (
                      <SettingLine key={setting.path} setting={setting} />
                    ))}
                  </div>
                )}
                {shown
                  .filter(({ kind }) => kind === 'group')
                  .map((group) => (
                    <SettingGroup key={`${group.path} ${isOpen}`} group={group} isOpen={isOpen} isFirst />
                  ))}
              </>
            )
          }}
        </Answer>
      </div>
    </Page>
  )
}

function leadOf({ file, version }: { file: string | null; version: string }): string {
  const where = file === null ? 'There is no configuration file' : `The configuration file is ${file}`
  return `Hilum ${version}. ${where}; a change there holds from the next start.`
}

/** What matches, with the groups that it is in. */
function filtered(settings: Setting[], text: string, onlyChanged: boolean): Setting[] {
  return settings.flatMap((setting) => {
    if (setting.kind === 'group') {
      const inside = filtered(setting.settings, text, onlyChanged)
      return inside.length > 0 ? [{ ...setting, settings: inside }] : []
    }
    const isMeant =
      text === '' ||
      setting.path.toLowerCase().includes(text) ||
      (setting.description ?? '').toLowerCase().includes(text)
    return isMeant && (!onlyChanged || setting.changed) ? [setting] : []
  })
}
