// Writes the sample sets of packages/datasets/test/store/sample-rows.ts with the store's own writer into a
// folder: `node test/golden/store/write-shards.mjs <folder>`. store.py calls it and reads the shards with pyarrow.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const store = resolve(process.argv[2] ?? '');
// inside node_modules, so that the bundle finds the packages that it leaves out
mkdirSync(join(root, 'node_modules', '.cache'), { recursive: true });
const folder = mkdtempSync(join(root, 'node_modules', '.cache', 'golden-store-'));
try {
  const outfile = join(folder, 'golden-sets.mjs');
  await build({
    entryPoints: [join(root, 'packages', 'datasets', 'test', 'store', 'golden-sets.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    outfile,
    logLevel: 'error',
  });
  const { writeGoldenSets } = await import(pathToFileURL(outfile).href);
  writeGoldenSets(store);
} finally {
  rmSync(folder, { recursive: true });
}
