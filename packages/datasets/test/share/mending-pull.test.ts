import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryStore } from '../store/sample.ts';
import { contents, pull, push, sampleStore } from './sample-store.ts';

describe('a pull into a store that is not whole', () => {
  it('brings a feature.json that is gone here', async () => {
    const place = join(temporaryStore(), 'remote');
    await push(place, sampleStore());
    const fresh = temporaryStore();
    await pull(place, fresh);
    const before = contents(fresh);
    const spec = [...before.keys()].find((path) => path.endsWith('feature.json')) ?? '';
    rmSync(join(fresh, spec));
    const other = join(
      fresh,
      [...before.keys()].findLast((path) => path.endsWith('feature.json')) ?? '',
      '..',
    );
    cpSync(other, `${other}.bak`, { recursive: true });
    await pull(place, fresh);
    rmSync(`${other}.bak`, { recursive: true });
    expect(contents(fresh)).toEqual(before);
  });

  it('takes the place of a damaged manifest where that is asked for', async () => {
    const place = join(temporaryStore(), 'remote');
    await push(place, sampleStore());
    const fresh = temporaryStore();
    await pull(place, fresh);
    const before = contents(fresh);
    const [rows = ''] = [...before.keys()].filter((path) => /manifests\/sha256/.test(path));
    writeFileSync(join(fresh, rows), `${before.get(rows)?.slice(0, -2)} \n`, 'latin1');
    await expect(pull(place, fresh)).rejects.toThrow(/changed or cut short; .*--manifest replace/);
    await pull(place, fresh, undefined, { manifest: 'replace' });
    expect(contents(fresh)).toEqual(before);
  });
});
