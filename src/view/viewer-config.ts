import { createHash } from 'node:crypto'

/** What OHIF is told at its start: everything comes from this node, and nothing from outside it. */
const configuration = {
  routerBasename: null,
  showStudyList: true,
  extensions: [],
  modes: [],
  customizationService: {},
  maxNumberOfWebWorkers: 3,
  showWarningMessageForCrossOrigin: true,
  showCPUFallbackMessage: true,
  showLoadingIndicator: true,
  strictZSpacingForVolumeViewport: true,
  groupEnabledModesFirst: true,
  disableConfirmationPrompts: true,
  investigationalUseDialog: { option: 'never' },
  maxNumRequests: { interaction: 100, thumbnail: 5, prefetch: 25 },
  showErrorDetails: 'always',
  defaultDataSourceName: 'hilum',
  dataSources: [
    {
      namespace: '@ohif/extension-default.dataSourcesModule.dicomweb',
      sourceName: 'hilum',
      configuration: {
        friendlyName: 'Hilum',
        name: 'hilum',
        qidoRoot: '/dicomweb',
        wadoRoot: '/dicomweb',
        wadoUriRoot: '/dicomweb',
        qidoSupportsIncludeField: true,
        supportsFuzzyMatching: false,
        supportsWildcard: true,
        supportsReject: false,
        imageRendering: 'wadors',
        thumbnailRendering: 'wadors',
        enableStudyLazyLoad: true,
        omitQuotationForMultipartRequest: true,
        bulkDataURI: { enabled: true, relativeResolution: 'studies' },
      },
    },
  ],
}

/** OHIF's `/app-config.js`. */
export const viewerConfigScript = `window.config = ${JSON.stringify(configuration, null, 2)}\n`

/**
 * Content-Security-Policy directives that OHIF can live with. `unsafe-eval` is needed by its codecs (Emscripten's embind makes
 * functions from text) and by vtk.js; inline scripts are allowed by their digests alone.
 * @param indexHtml OHIF's index.html, whose inline scripts are allowed; null where there is no viewer
 */
export function viewerContentSecurityPolicy(indexHtml: string | null): Record<string, string[]> {
  const inline = [...(indexHtml ?? '').matchAll(/<script>([\s\S]*?)<\/script>/g)].map(
    ([, script = '']) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`,
  )
  return {
    'default-src': ["'self'"],
    'script-src': ["'self'", 'blob:', "'wasm-unsafe-eval'", "'unsafe-eval'", ...inline],
    'worker-src': ["'self'", 'blob:'],
    'connect-src': ["'self'", 'blob:', 'data:'],
    'img-src': ["'self'", 'blob:', 'data:'],
    'style-src': ["'self'", "'unsafe-inline'"],
    'font-src': ["'self'", 'data:'],
    'media-src': ["'self'", 'blob:'],
    'frame-src': ["'self'", 'blob:'],
    'object-src': ["'self'", 'blob:'],
    'base-uri': ["'self'"],
    'form-action': ["'self'"],
    'frame-ancestors': ["'self'"],
  }
}
