// Writes generated/explorer.js: the explorer's browser code as one classic script, since a page that is opened as
// a file cannot load modules.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
await build({
  entryPoints: [join(here, 'src/client/main.ts')],
  bundle: true,
  platform: 'browser',
  format: 'iife',
  target: 'es2022',
  charset: 'utf8',
  outfile: join(here, 'generated/explorer.js'),
  logLevel: 'error',
  legalComments: 'none',
});
