import { repairC1 } from '../base/windows-1252.ts';

/** Raised when `normaliseText` changes; part of what a manifest records. */
export const TEXT_NORMALISATION = 1;

/**
 * Text normalisation, version 1: C1 controls are windows-1252 bytes that were read as Latin-1, and become the
 * characters that those bytes mean (U+0092 -> U+2019); no-break space becomes a space; white space is collapsed
 * and trimmed; NFC. Typographic quotes and tags such as `[LAUGHTER]` stay.
 */
export function normaliseText(raw: string): string {
  return repairC1(raw).replaceAll(/\s+/g, ' ').trim().normalize('NFC');
}
