/** The nonce of the page's policy: what adds style elements has to give them this. */
export function styleNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? ''
}

// Read by the package that stops the page from scrolling behind a dialog, which adds a style element of its own.
Object.assign(globalThis, { __webpack_nonce__: styleNonce() })
