import { describe, expect, it } from 'vitest';
import { canonicalJson, type Json, sha256Hex } from '../../src/base/canonical-json.ts';
import { decodeIndexPart, encodeIndexPart, type IndexPart } from '../../src/store/index-part.ts';
import { indexPart } from './sample.ts';

const part = indexPart({
  utterances: { 'd/a': { shard: 0, input: 'x' }, 'd/b': { shard: 1, input: 'y', revision: 2 } },
  quarantined: { 'd/c': { reason: 'größer als "erlaubt"', input: 'z' } },
});
const decode = (text: string): IndexPart => decodeIndexPart(Buffer.from(text), 'index/p.json');
/** A part with a right checksum, whatever it says. */
const sealed = (value: object): string => encodeIndexPart(value as IndexPart);

describe('index parts', () => {
  it('come back as they were written', () => {
    expect(decode(encodeIndexPart(part))).toEqual(part);
  });

  it('end with the sha256 of their own canonical JSON', () => {
    const { sha256, ...rest } = JSON.parse(encodeIndexPart(part)) as { sha256: string } & {
      [key: string]: Json;
    };
    expect(sha256).toBe(sha256Hex(canonicalJson(rest)));
    expect(encodeIndexPart(part).endsWith(`,"sha256":"${sha256}"}\n`)).toBe(true);
  });

  it('are refused after any change of any byte', () => {
    const bytes = Buffer.from(encodeIndexPart(part));
    for (let at = 0; at < bytes.length; at++) {
      for (const bit of [0, at % 7, 7]) {
        const flipped = Buffer.from(bytes);
        flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << bit), at);
        expect(() => decodeIndexPart(flipped, 'index/p.json'), `byte ${at}, bit ${bit}`).toThrow(
          'index/p.json is damaged',
        );
      }
    }
  });

  it('are refused when cut short or longer, with what to do', () => {
    const text = encodeIndexPart(part);
    for (const wrong of ['', '{}', text.slice(0, -1), text.slice(0, 300), `${text} `, text + text]) {
      expect(() => decode(wrong)).toThrow(
        /^index\/p\.json is damaged: .*; run `lsgmer features repair`, or remove this file to compute its utterances again$/,
      );
    }
  });

  it('of a newer format are refused, naming the version', () => {
    expect(() => decode(sealed({ ...part, format: 3, more: true }))).toThrow(
      'index/p.json was written in format 3, and this lsgmer reads up to format 1: update lsgmer',
    );
  });

  it('must be sound even when their checksum is right', () => {
    expect(() => decode(sealed({ ...part, utterances: { 'd/a': { shard: 2, input: 'x' } } }))).toThrow(
      'd/a is said to be in shard 2, which it does not list',
    );
    expect(() => decode(sealed({ ...part, utterances: { '../a': { shard: 0, input: 'x' } } }))).toThrow(
      'is damaged: "utterances.',
    );
    expect(() => decode(sealed({ ...part, fingerprint: 'no' }))).toThrow('is damaged: "fingerprint":');
  });
});
