import { UserError } from '@lsgmer/datasets';
import { type AlignedCharacter, alignCharacters } from './aligned-text.ts';

/** Longest grapheme, in bytes, that is looked up as a whole. */
const GRAPHEME_BYTES = 6;

/**
 * SentencePiece's table of characters (tokenizer.json's `precompiled_charsmap`): a double-array trie (darts) from
 * UTF-8 to places in a text of replacements that end with a zero byte. @huggingface/tokenizers approximates it by
 * NFKC; here it is applied as it is, as Hugging Face's own tokenizers do.
 */
export class CharactersMap {
  private readonly trie: Uint32Array;
  private readonly replacements: Uint8Array;
  private readonly graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

  /** @param base64 as it stands in tokenizer.json. @throws UserError when it is damaged */
  constructor(base64: string, origin: string) {
    const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
    const size = bytes.length < 4 ? NaN : new DataView(bytes.buffer).getUint32(0, true);
    if (!(size % 4 === 0 && 4 + size <= bytes.length))
      throw new UserError(`${origin}: its precompiled_charsmap is damaged`);
    this.trie = new Uint32Array(bytes.buffer, 4, size / 4);
    this.replacements = bytes.subarray(4 + size);
  }

  normalise(text: string): string {
    return this.align(text, 0)
      .map(({ char }) => char)
      .join('');
  }

  /** The normalised text, each character with the stretch that it came from. @param offset of the text in a longer one */
  align(text: string, offset: number): AlignedCharacter[] {
    const out: AlignedCharacter[] = [];
    for (const { segment, index } of this.graphemes.segment(text)) {
      const characters = alignCharacters(segment, offset + index);
      const whole = Buffer.byteLength(segment) < GRAPHEME_BYTES ? this.find(segment) : undefined;
      if (whole !== undefined) {
        replace(characters, whole, out);
        continue;
      }
      for (const character of characters) {
        const found = this.find(character.char);
        if (found === undefined) out.push(character);
        else replace([character], found, out);
      }
    }
    return out;
  }

  /** The replacement of the shortest beginning that the table has. */
  private find(text: string): string | undefined {
    const { trie } = this;
    let at = 0;
    at ^= offsetOf(trie[0] as number);
    for (const byte of Buffer.from(text, 'utf8')) {
      if (byte === 0) return undefined;
      at ^= byte;
      const unit = trie[at] ?? 0;
      if ((unit & 0x8000_00ff) >>> 0 !== byte) return undefined;
      at ^= offsetOf(unit);
      if (((unit >>> 8) & 1) === 1) return this.textAt((trie[at] ?? 0) & 0x7fff_ffff);
    }
    return undefined;
  }

  private textAt(from: number): string {
    const end = this.replacements.indexOf(0, from);
    return Buffer.from(this.replacements.subarray(from, end < 0 ? undefined : end)).toString('utf8');
  }
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & (1 << 9)) >>> 6);
}

/** New characters stand for the old ones one by one, further ones for the last of these. */
function replace(old: readonly AlignedCharacter[], by: string, out: AlignedCharacter[]): void {
  Array.from(by).forEach((char, i) => {
    const { start, end } = old[Math.min(i, old.length - 1)] as AlignedCharacter;
    out.push({ char, start, end });
  });
}
