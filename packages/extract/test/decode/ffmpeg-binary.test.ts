import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { UserError } from '@lsgmer/datasets';
import { requireFfmpeg, searchFfmpeg } from '../../src/decode/ffmpeg-binary.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-ffmpeg-'));
afterAll(() => rmSync(folder, { recursive: true }));

function script(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe.skipIf(process.platform === 'win32')('searchFfmpeg', () => {
  it('takes FFMPEG_PATH before the PATH', async () => {
    const named = script('named', 'echo ffmpeg version 9.1');
    script('ffmpeg', 'echo ffmpeg version 8.0');
    expect((await searchFfmpeg({ FFMPEG_PATH: named, PATH: folder })).found).toEqual({
      path: named,
      source: 'FFMPEG_PATH',
      version: 'ffmpeg version 9.1',
    });
    expect((await searchFfmpeg({ PATH: `/nowhere:${folder}` })).found).toEqual({
      path: join(folder, 'ffmpeg'),
      source: 'PATH',
      version: 'ffmpeg version 8.0',
    });
  });

  it('does not pass over a FFMPEG_PATH that does not work', async () => {
    const env = { FFMPEG_PATH: '/nowhere/ffmpeg', PATH: folder };
    expect(await searchFfmpeg(env)).toEqual({
      found: undefined,
      tried: ['FFMPEG_PATH=/nowhere/ffmpeg: no such file'],
    });
    const other = script('other', 'echo hello');
    expect((await searchFfmpeg({ FFMPEG_PATH: other })).tried).toEqual([
      `FFMPEG_PATH=${other}: is no ffmpeg (hello)`,
    ]);
    await expect(requireFfmpeg('clip.mp4 is not 16 kHz PCM WAV', env)).rejects.toThrow(UserError);
    await expect(requireFfmpeg('clip.mp4 is not 16 kHz PCM WAV', env)).rejects.toThrow(
      /^clip\.mp4 is not 16 kHz PCM WAV, and no ffmpeg works here \(FFMPEG_PATH=.*\): install ffmpeg .* set FFMPEG_PATH/,
    );
  });
});
