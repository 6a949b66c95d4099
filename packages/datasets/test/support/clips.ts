import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { boxesIn, findBox } from '../../src/manifest/mp4-boxes.ts';

/** Arguments with which ffmpeg makes a small clip of each kind. */
const KINDS = {
  surround: '-f lavfi -i sine=d=0.2:sample_rate=48000 -ac 6 -c:a aac',
  stereo: '-f lavfi -i sine=d=0.2:sample_rate=48000 -ac 2 -c:a aac',
  mono: '-f lavfi -i sine=d=0.2:sample_rate=44100 -ac 1 -c:a aac',
  eight: '-f lavfi -i sine=d=0.2:sample_rate=48000 -ac 8 -c:a aac',
  shortest: '-f lavfi -i sine=d=0.0426:sample_rate=48000 -ac 2 -c:a aac',
  film:
    '-f lavfi -i testsrc=d=0.4:s=32x32:r=5 -f lavfi -i sine=d=0.4:sample_rate=48000 ' +
    '-ac 6 -c:v mpeg4 -c:a aac -movflags +faststart',
  silentFilm: '-f lavfi -i testsrc=d=0.4:s=32x32:r=5 -c:v mpeg4',
  fragmented: '-f lavfi -i sine=d=0.2:sample_rate=48000 -ac 2 -c:a aac -movflags frag_keyframe+empty_moov',
} as const;
export type ClipKind = keyof typeof KINDS;

/** ffmpeg as FFMPEG_PATH names it, else from the npm package of this platform; undefined, with a line, without one. */
export function findFfmpeg(): string | undefined {
  const named = process.env['FFMPEG_PATH'];
  if (named !== undefined && named !== '') return named;
  const name = `@ffmpeg-installer/${process.platform}-${process.arch}`;
  try {
    const folder = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
    const file = join(folder, process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg');
    if (existsSync(file)) return file;
  } catch {
    // the optional dependency was not installed
  }
  process.stderr.write(`skipped: no FFMPEG_PATH and no ${name}\n`);
  return undefined;
}

const made = new Map<ClipKind, Buffer>();
let folder: string | undefined;
afterAll(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

/** A clip of that kind, made once. */
export function clip(ffmpeg: string, kind: ClipKind): Buffer {
  const known = made.get(kind);
  if (known !== undefined) return known;
  folder ??= mkdtempSync(join(tmpdir(), 'lsgmer-clips-'));
  const file = join(folder, `${kind}.mp4`);
  execFileSync(ffmpeg, ['-nostdin', '-y', '-loglevel', 'error', ...KINDS[kind].split(' '), file]);
  const bytes = readFileSync(file);
  made.set(kind, bytes);
  return bytes;
}

/**
 * The clip under another length and with bytes of its own: its header says so many seconds (what is read of it here),
 * and a `free` box at its end holds the mark.
 */
export function disguised(bytes: Buffer, seconds: number, mark: string): Buffer {
  const copy = Buffer.concat([bytes, box('free', Buffer.from(mark))]);
  const view = new DataView(copy.buffer, copy.byteOffset, copy.byteLength);
  const movie = findBox(view, 'moov');
  for (const { type, body } of boxesIn(movie as DataView)) {
    if (type !== 'trak') continue;
    const header = findBox(body, 'mdia', 'mdhd') as DataView;
    header.setUint32(16, Math.max(1, Math.round(seconds * header.getUint32(12))));
  }
  return copy;
}

/** A box of an MP4. */
export function box(type: string, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + body.length);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, body]);
}
