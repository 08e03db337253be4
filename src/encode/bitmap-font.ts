/** Width and height of a character's box; the glyph is one pixel narrower and one lower. */
export const cell = { width: 6, height: 8 } as const

/** Glyphs of ASCII from space to tilde, drawn on 5 x 7 pixels: a digit of base 32 a row, the leftmost pixel in the highest bit. */
const glyphs = `
0000000 4444404 aaa0000 aavavaa 4fke5u4 pp248jj cik8lid 4480000 2488842 8422248 04lel40 044v440
0000c48 000v000 00000cc 11248gg ehjlphe 4c4444e eh1248v eh161he 26aiv22 vgu11he 68guhhe v122444
ehhehhe ehhf12c 0cc0cc0 0cc0c48 248g842 00v0v00 8421248 eh12404 ehnlnge 4ahhvhh uhhuhhu ehggghe
sihhhis vgguggv vgguggg ehgnhhf hhhvhhh e44444e 72222ic hikokih ggggggv hrllhhh hppljjh ehhhhhe
uhhuggg ehhhlid uhhukih fgge11u v444444 hhhhhhe hhhhaa4 hhhllrh hha4ahh hha4444 v1248gv e88888e
gg84211 e22222e 4ah0000 000000v 8400000 00e1fhf gguhhhu 00egghe 11fhhhf 00ehvge 698s888 00fhf1e
ggmphhh 40c444e 20622ic ggikoki c44444e 00qllll 00uhhhh 00ehhhe 00uhugg 00fhf11 00mpggg 00fge1u
88s8896 00hhhhf 00hhha4 00hllla 00ha4ah 00hhf1e 00v248v 2448442 4444444 8442448 009li00
`
  .trim()
  .split(/\s+/)

/** Rows of a character's glyph, from the top, 5 bits each; other characters than ASCII have that of the question mark. */
export function glyphRows(character: string): number[] {
  const glyph = glyphs[character.charCodeAt(0) - 0x20] ?? glyphs['?'.charCodeAt(0) - 0x20] ?? ''
  return Array.from(glyph, (digit) => Number.parseInt(digit, 32))
}
