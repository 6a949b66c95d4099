/** Raised when `normaliseText` changes; part of what a manifest records. */
export const TEXT_NORMALISATION = 1;

/**
 * windows-1252's characters for the bytes 0x80 to 0x9f (WHATWG Encoding Standard, index windows-1252).
 * The five bytes that it leaves undefined stand for themselves.
 */
const WINDOWS_1252 = new TextDecoder('windows-1252').decode(
  Uint8Array.from({ length: 32 }, (_, i) => 0x80 + i),
);

/**
 * Text normalisation, version 1: C1 controls are windows-1252 bytes that were read as Latin-1, and become the
 * characters that those bytes mean (U+0092 -> U+2019); no-break space becomes a space; white space is collapsed
 * and trimmed; NFC. Typographic quotes and tags such as `[LAUGHTER]` stay.
 */
export function normaliseText(raw: string): string {
  return raw
    .replaceAll(/[\u0080-\u009f]/g, (c) => WINDOWS_1252.charAt(c.charCodeAt(0) - 0x80))
    .replaceAll(/\s+/g, ' ')
    .trim()
    .normalize('NFC');
}
