const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']

/** A plain cron expression in words; null for one that is more than that. */
export function cronWords(cron: string): string | null {
  const fields = cron.trim().split(/\s+/)
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = fields.length === 6 ? fields.slice(1) : fields
  const every = (field: string) => /^\*\/(\d+)$/.exec(field)?.[1]
  const isPlain = (field: string) => /^\d+$/.test(field)
  const rest = day === '*' && month === '*'
  const minutes = every(minute)
  if (rest && weekday === '*' && hour === '*' && minute === '*') return 'every minute'
  if (rest && weekday === '*' && hour === '*' && minutes) return `every ${minutes} minutes`
  if (rest && weekday === '*' && hour === '*' && isPlain(minute)) return `every hour, at minute ${Number(minute)}`
  const hours = every(hour)
  if (rest && weekday === '*' && hours && isPlain(minute)) return `every ${hours} hours`
  if (!isPlain(hour) || !isPlain(minute) || month !== '*') return null
  const at = `${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`
  if (day === '*' && weekday === '*') return `every day at ${at}`
  if (day === '*' && /^[0-7]$/.test(weekday)) return `every ${days[Number(weekday)]} at ${at}`
  if (day === '*' && weekday === '1-5') return `Monday to Friday at ${at}`
  if (isPlain(day) && weekday === '*') return `on day ${Number(day)} of every month at ${at}`
  return null
}
