// Writes generated/tfjs-gradients.js: every gradient that tfjs-core knows, ready for Node.
// tfjs-core's Node entry registers none of them, and the ES modules that do cannot be loaded
// by Node as they are (no file extensions, no "type": "module"). The bundle carries its own copy
// of the ops that gradients call; engine, kernel registry and gradient registry are process-wide
// globals of tfjs, so both copies work on one state.
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const core = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-core/package.json'));
const out = join(here, 'generated');
mkdirSync(out, { recursive: true });
await build({
  stdin: {
    // The gradients of GatherV2 and Prod call the method form of reshape, which the Node entry leaves out too.
    contents: `
      import './dist/register_all_gradients.js';
      import './dist/public/chained_ops/reshape.js';
      import { getGlobal } from './dist/global_util.js';
      export const registeredGradients = getGlobal('gradRegistry', () => new Map()).size;
    `,
    resolveDir: core,
  },
  bundle: true,
  platform: 'node',
  mainFields: ['module', 'main'],
  format: 'esm',
  outfile: join(out, 'tfjs-gradients.js'),
  logLevel: 'error',
  legalComments: 'none',
  // ES module output needs a `require` for the few CommonJS parts
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
});
writeFileSync(
  join(out, 'tfjs-gradients.d.ts'),
  '/** How many ops have a gradient. */\nexport declare const registeredGradients: number;\n',
);
