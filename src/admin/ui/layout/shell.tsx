import { ActionIcon, Drawer } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconMenu2 } from '@tabler/icons-react'
import { type ReactNode, useEffect, useRef } from 'react'
import { Link, useLocation } from 'wouter'
import { LiveMark } from './live-mark.tsx'
import { Navigation } from './navigation.tsx'
import { NodeName } from './node-name.tsx'
import { SchemeSwitch } from './scheme-switch.tsx'
import { SearchBox } from './search-box.tsx'
import { UserMenu } from './user-menu.tsx'
import './shell.css'

/** What stands around every page: navigation, header, and the way to the content for keyboards. */
export function Shell({ children }: { children: ReactNode }) {
  const [isOpen, drawer] = useDisclosure(false)
  const main = useRef<HTMLElement>(null)
  useFocusOnNavigation(main, drawer.close)
  return (
    <div className="shell">
      <a className="skip" href="#content" onClick={(event) => skip(event, main.current)}>
        To the content
      </a>
      <header className="top">
        <ActionIcon
          className="burger"
          variant="subtle"
          color="gray"
          size="lg"
          aria-label="Navigation"
          aria-expanded={isOpen}
          onClick={drawer.open}
        >
          <IconMenu2 size={20} aria-hidden />
        </ActionIcon>
        <Link href="/" className="brand" aria-label="Hilum, overview">
          <img src="/admin/icon.svg" alt="" width={28} height={28} />
          <span className="brand-name">Hilum</span>
        </Link>
        <NodeName />
        <SearchBox />
        <div className="top-end">
          <LiveMark />
          <SchemeSwitch />
          <UserMenu />
        </div>
      </header>
      <aside className="side">
        <Navigation />
      </aside>
      <Drawer
        opened={isOpen}
        onClose={drawer.close}
        size={260}
        title="Hilum"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <Navigation />
      </Drawer>
      <main id="content" ref={main} tabIndex={-1}>
        {children}
      </main>
    </div>
  )
}

function skip(event: { preventDefault(): void }, main: HTMLElement | null): void {
  event.preventDefault()
  main?.focus()
}

/** Whoever goes to another page hears and sees its beginning: its heading gets the focus, once it is there. */
function useFocusOnNavigation(main: React.RefObject<HTMLElement | null>, left: () => void): void {
  const [location] = useLocation()
  const before = useRef(location)
  useEffect(() => {
    if (before.current === location) return
    before.current = location
    left()
    window.scrollTo(0, 0)
    const focus = () => {
      const heading = main.current?.querySelector<HTMLElement>('h1[tabindex]')
      heading?.focus({ preventScroll: true })
      return heading !== null && heading !== undefined
    }
    if (focus()) return
    // The page's program may still be on its way.
    const observer = new MutationObserver(() => focus() && observer.disconnect())
    if (main.current) observer.observe(main.current, { childList: true, subtree: true })
    return () => observer.disconnect()
  }, [location, main, left])
}
