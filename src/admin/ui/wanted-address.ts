/** As much of the browser's `location` as is looked at. */
export interface Address {
  pathname: string
  search: string
  origin: string
}

/**
 * Where somebody wanted to go before the login: `next` of `/admin?next=…`, to which the node leads whoever asks for something else
 * without a session. null where there is none, and where it is of another origin or no path.
 */
export function wantedAddress({ pathname, search, origin }: Address): string | null {
  if (!/^\/admin\/?$/.test(pathname)) return null
  const next = new URLSearchParams(search).get('next')
  if (!next?.startsWith('/') || !URL.canParse(next, origin)) return null
  const target = new URL(next, origin)
  return target.origin === origin ? target.href : null
}
