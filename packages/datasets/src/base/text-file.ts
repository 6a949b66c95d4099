import { readFileSync } from 'node:fs';
import { TextDecoder } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { UserError } from './errors.ts';
import { decodeWindows1252 } from './windows-1252.ts';

/** A text file of somebody else's: decoded whatever it holds, with the places where that took a guess. */
export interface TextFile {
  /** Without a byte-order mark; line ends as in the file. */
  readonly text: string;
  /** Numbers (from 1) of lines that are not UTF-8 and were read as windows-1252. */
  readonly badLines: readonly number[];
  /** UTF-16 where a byte-order mark says so, or where every second byte at the beginning is 0. */
  readonly encoding: 'utf-8' | 'utf-16le' | 'utf-16be';
  /** Whether the file begins with a byte-order mark. */
  readonly mark: boolean;
}

/** Bytes at the beginning that tell UTF-16 without a byte-order mark. */
const LOOKED_AT = 64;

/** Decodes UTF-8 or UTF-16; a line that is not UTF-8 is read as windows-1252 and reported. */
export function decodeText(bytes: Uint8Array): TextFile {
  const { encoding, mark } = encodingOf(bytes);
  if (encoding !== 'utf-8')
    return { text: new TextDecoder(encoding).decode(bytes), badLines: [], encoding, mark };
  const strict = new TextDecoder('utf-8', { fatal: true });
  try {
    return { text: strict.decode(bytes), badLines: [], encoding, mark };
  } catch {
    return { ...decodeByLine(bytes, strict), encoding, mark };
  }
}

function encodingOf(bytes: Uint8Array): Pick<TextFile, 'encoding' | 'mark'> {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return { encoding: 'utf-16le', mark: true };
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return { encoding: 'utf-16be', mark: true };
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return { encoding: 'utf-8', mark: true };
  const head = bytes.subarray(0, Math.min(LOOKED_AT, bytes.length & ~1));
  // a column name is ASCII, whose UTF-16 has a 0 in each pair
  const zeros = (parity: number) =>
    head.length > 0 && head.every((byte, i) => i % 2 !== parity || byte === 0);
  if (zeros(1) && !zeros(0)) return { encoding: 'utf-16le', mark: false };
  if (zeros(0) && !zeros(1)) return { encoding: 'utf-16be', mark: false };
  return { encoding: 'utf-8', mark: false };
}

function decodeByLine(bytes: Uint8Array, strict: TextDecoder): Pick<TextFile, 'text' | 'badLines'> {
  const lines: string[] = [];
  const badLines: number[] = [];
  for (let start = 0; start <= bytes.length;) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline < 0 ? bytes.length : newline;
    const line = bytes.subarray(start, end);
    try {
      lines.push(strict.decode(line));
    } catch {
      lines.push(decodeWindows1252(line));
      badLines.push(lines.length);
    }
    start = end + 1;
  }
  return { text: lines.join('\n'), badLines };
}

/** A file whose name ends in `.gz` is unpacked. @throws UserError where it cannot be read. */
export function readTextFile(file: string): TextFile {
  return decodeText(/\.gz$/i.test(file) ? unpack(file) : readBytes(file));
}

function unpack(file: string): Uint8Array {
  const packed = readBytes(file);
  try {
    return gunzipSync(packed);
  } catch (error) {
    throw new UserError(`cannot read ${file}: expected a whole gzip file: ${(error as Error).message}`);
  }
}

/** @throws UserError where the file cannot be read, or is not JSON (with line and column). */
export function readJsonFile(file: string): unknown {
  const { text } = readTextFile(file);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new UserError(`${file}${jsonPlace(text, error)}: not valid JSON: ${(error as Error).message}`);
  }
}

function readBytes(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UserError(`cannot read ${file}: ${fileTrouble(error)}`);
  }
}

/** What the file system's error means, in words. */
export function fileTrouble(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return 'there is no such file or folder';
  if (code === 'EACCES' || code === 'EPERM') return 'no permission';
  if (code === 'ENOTDIR') return 'a part of the path is not a folder';
  if (code === 'EISDIR') return 'it is a folder';
  if (code === 'ELOOP') return 'its symbolic links form a loop';
  if (code === 'EEXIST') return 'a file is in the way';
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'the disk is full';
  if (code === 'EFBIG') return 'the file would be larger than the limit (ulimit -f)';
  if (code === 'EROFS') return 'the disk is read-only';
  return (error as Error).message;
}

/** `:line:column` of the position that JSON.parse names, where it names one. */
function jsonPlace(text: string, error: unknown): string {
  const position = /position (\d+)/.exec((error as Error).message)?.[1];
  if (position === undefined) return '';
  const before = text.slice(0, Number(position));
  const line = before.split('\n').length;
  return `:${line}:${before.length - before.lastIndexOf('\n')}`;
}
