import { IconPhotoOff, type TablerIcon } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'
import './picture.css'

export interface PictureProps {
  src: string
  /** What is to be seen; empty where the words beside it say so already. */
  alt: string
  /** Pixels on the page; the place is held while the picture comes, and where there is none. */
  width: number
  height: number
  /** In the place of a picture that there is not. */
  fallback?: TablerIcon
}

/**
 * Pictures that are asked for at once. A browser has six connections to a node: some must stay free for what the page asks and hears, however
 * long a picture takes to be drawn.
 */
const atOnce = 3
let underWay = 0
const waiting: (() => void)[] = []

/** Calls when a picture may be asked for. @returns what to call when it is there, or not wanted any more */
function takeTurn(begin: () => void): () => void {
  let state: 'waiting' | 'begun' | 'over' = 'waiting'
  const start = () => {
    state = 'begun'
    underWay += 1
    begin()
  }
  if (underWay < atOnce) start()
  else waiting.push(start)
  return () => {
    if (state === 'waiting') waiting.splice(waiting.indexOf(start), 1)
    if (state === 'begun') {
      underWay -= 1
      waiting.shift()?.()
    }
    state = 'over'
  }
}

/** A picture that is asked for when it comes into view, and keeps its place: while it loads, and where there is none. */
export function Picture({ src, alt, width, height, fallback: Fallback = IconPhotoOff }: PictureProps) {
  const frame = useRef<HTMLSpanElement>(null)
  const done = useRef<() => void>(() => undefined)
  const [asked, setAsked] = useState<string | null>(null)
  const [found, setFound] = useState<{ src: string; is: 'here' | 'gone' } | null>(null)
  const is = found?.src === src ? found.is : 'coming'
  useEffect(() => {
    if (!frame.current) return
    const observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return
        observer.disconnect()
        done.current = takeTurn(() => setAsked(src))
      },
      { rootMargin: '200px' },
    )
    observer.observe(frame.current)
    return () => {
      observer.disconnect()
      done.current()
    }
  }, [src])
  const end = (state: 'here' | 'gone') => {
    done.current()
    setFound({ src, is: state })
  }
  return (
    <span ref={frame} className={`picture picture-${is}`} style={{ width, height }}>
      {is === 'gone' && (
        <Fallback
          size={Math.min(32, height / 2.5)}
          stroke={1.4}
          role="img"
          aria-label={alt ? `No picture: ${alt}` : 'No picture'}
        />
      )}
      {is !== 'gone' && asked === src && (
        <img
          src={src}
          alt={alt}
          width={width}
          height={height}
          decoding="async"
          onLoad={() => end('here')}
          onError={() => end('gone')}
        />
      )}
    </span>
  )
}
