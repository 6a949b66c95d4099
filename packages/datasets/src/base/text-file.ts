import { readFileSync } from 'node:fs';
import { TextDecoder } from 'node:util';
import { UserError } from './errors.ts';
import { decodeWindows1252 } from './windows-1252.ts';

/** A text file of somebody else's: decoded whatever it holds, with the places where that took a guess. */
export interface TextFile {
  /** Without a byte-order mark; line ends as in the file. */
  readonly text: string;
  /** Numbers (from 1) of lines that are not UTF-8 and were read as windows-1252. */
  readonly badLines: readonly number[];
}

/** Decodes UTF-8 (or UTF-16 with a byte-order mark); a line that is not UTF-8 is read as windows-1252 and reported. */
export function decodeText(bytes: Uint8Array): TextFile {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) {
    return { text: new TextDecoder('utf-16le').decode(bytes), badLines: [] };
  }
  if (bytes[0] === 0xfe && bytes[1] === 0xff) {
    return { text: new TextDecoder('utf-16be').decode(bytes), badLines: [] };
  }
  const strict = new TextDecoder('utf-8', { fatal: true });
  try {
    return { text: strict.decode(bytes), badLines: [] };
  } catch {
    return decodeByLine(bytes, strict);
  }
}

function decodeByLine(bytes: Uint8Array, strict: TextDecoder): TextFile {
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

/** @throws UserError where the file cannot be read. */
export function readTextFile(file: string): TextFile {
  return decodeText(readBytes(file));
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
