const units = ['KiB', 'MiB', 'GiB', 'TiB']

/** Bytes as people read them, such as `1.4 GiB`. */
export function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`
  let [size, unit] = [bytes, -1]
  while (size >= 1024 && unit < units.length - 1) [size, unit] = [size / 1024, unit + 1]
  return `${size < 10 ? size.toFixed(1) : Math.round(size)} ${units[unit]}`
}
