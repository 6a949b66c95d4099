/**
 * Characters of windows-1252 for the bytes 0x80 to 0x9f (WHATWG Encoding Standard); the five bytes that it leaves
 * undefined stand for themselves. A table of our own: Node 20's TextDecoder reads windows-1252 as Latin-1.
 */
const TABLE =
  '\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f' +
  '\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178';

/** Reads C1 controls as the windows-1252 bytes that they were: U+0092 becomes U+2019. */
export function repairC1(text: string): string {
  return text.replaceAll(/[\u0080-\u009f]/g, (c) => TABLE.charAt(c.charCodeAt(0) - 0x80));
}

/** Decodes windows-1252. */
export function decodeWindows1252(bytes: Uint8Array): string {
  return repairC1(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1'));
}
