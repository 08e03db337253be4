import { createTheme, type MantineColorsTuple } from '@mantine/core'

/** The accent: the petrol of the mark. */
const petrol: MantineColorsTuple = [
  '#e9f7f5',
  '#d3ece8',
  '#a6dad2',
  '#75c6bb',
  '#4db5a7',
  '#329f91',
  '#1c8a7d',
  '#0f766e',
  '#0a625b',
  '#064d47',
]

/** Dark surfaces: blue-grey, as quiet as a reading room. Text first, the page last. */
const dark: MantineColorsTuple = [
  '#e3eaed',
  '#b9c6cc',
  '#9fb0b9',
  '#7a8d97',
  '#40515a',
  '#2d3b43',
  '#212d33',
  '#171f24',
  '#10171b',
  '#0b1013',
]

const gray: MantineColorsTuple = [
  '#f7f9fa',
  '#eff3f5',
  '#e3e9ec',
  '#d3dce0',
  '#b9c6cc',
  '#8698a1',
  '#5b6c76',
  '#45545d',
  '#2b3840',
  '#15232b',
]

export const theme = createTheme({
  primaryColor: 'petrol',
  primaryShade: { light: 7, dark: 7 },
  autoContrast: true,
  luminanceThreshold: 0.25,
  colors: { petrol, dark, gray },
  black: '#15232b',
  defaultRadius: 'md',
  radius: { xs: '3px', sm: '5px', md: '8px', lg: '12px', xl: '20px' },
  fontFamily: "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Helvetica Neue', Arial, sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', 'Cascadia Code', Menlo, Consolas, 'DejaVu Sans Mono', monospace",
  headings: {
    fontWeight: '620',
    sizes: {
      h1: { fontSize: '1.5rem', lineHeight: '1.25' },
      h2: { fontSize: '1.0625rem', lineHeight: '1.35' },
      h3: { fontSize: '0.9375rem', lineHeight: '1.4' },
    },
  },
  breakpoints: { xs: '30em', sm: '40em', md: '56.25em', lg: '75em', xl: '90em' },
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Tooltip: { defaultProps: { openDelay: 250, withArrow: true, multiline: true, maw: 360 } },
    Modal: { defaultProps: { centered: true, radius: 'lg' } },
    Paper: { defaultProps: { radius: 'lg' } },
  },
})
