import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** RFC 8785 text of a JSON value (keys sorted, numbers as ECMAScript prints them). */
export function canonicalJson(value: Json): string {
  const text = (canonicalize as unknown as (v: unknown) => string | undefined)(value);
  if (text === undefined) throw new Error('canonicalJson: not a JSON value');
  return text;
}

/** Lower-case hex sha256 of bytes or of UTF-8 text. */
export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** sha256 of the RFC 8785 text: the digest of a description. */
export function digestJson(value: Json): string {
  return sha256Hex(canonicalJson(value));
}
