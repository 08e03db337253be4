import { Button, Divider } from '@mantine/core'
import { useApi } from '../../api/use-api.ts'

/** A way in by the hospital's own login, where the node has one; it leads back to where somebody wanted to go. */
export function SingleSignOn() {
  const { data } = useApi('GET /session/methods')
  if (!data?.oidc) return null
  const { label, url } = data.oidc
  const here = new URLSearchParams(location.search).get('next') ?? `${location.pathname}${location.search}`
  return (
    <>
      <Divider label="or" my="md" />
      <Button component="a" href={`${url}?next=${encodeURIComponent(here)}`} variant="default" fullWidth>
        {label}
      </Button>
    </>
  )
}
