// Shows what the demo promises, and ends with code 1 where it does not hold:
//
//   node test/claims/demo-claims.mjs [--seeds 3]        (after `make setup`; .ci/run uses one seed)
//
// - with every seed the full head is at least 5 points of pooled UA above the better single modality
// - no score is more than 5 points above its ceiling
// - with permuted training labels UA is within 8 points of chance (25)
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ceilings } from '../../packages/datasets/dist/index.js';

const { values } = parseArgs({ options: { seeds: { type: 'string', default: '3' } } });
const lsgmer = join(dirname(fileURLToPath(import.meta.url)), '../../packages/cli/dist/main.js');
const run = (...args) =>
  JSON.parse(
    execFileSync(process.execPath, [lsgmer, ...args, '--json', '--quiet'], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );

const best = ceilings();
const ceiling = { full: best.both, text: best.text, audio: best.audio };
const points = (share) => 100 * share;
let broken = 0;
const claim = (holds, text) => {
  console.log(`${holds ? 'holds ' : 'BROKEN'}  ${text}`);
  if (!holds) broken++;
};

const demo = run('demo', '--seeds', values.seeds);
const variant = (result, name) => result.variants.find((one) => one.name === name);
for (const [i, { seed }] of variant(demo, 'full').seeds.entries()) {
  const ua = (name) => points(variant(demo, name).seeds[i].pooled.scores.ua);
  const single = Math.max(ua('text'), ua('audio'));
  claim(
    ua('full') >= single + 5,
    `seed ${seed}: full ${ua('full').toFixed(1)} is 5 above the better of text ${ua('text').toFixed(1)} and audio ${ua('audio').toFixed(1)}`,
  );
  for (const name of ['full', 'text', 'audio']) {
    for (const key of ['wa', 'ua']) {
      const got = points(variant(demo, name).seeds[i].pooled.scores[key]);
      const most = points(ceiling[name][key]);
      claim(
        got <= most + 5,
        `seed ${seed}: ${name} ${key} ${got.toFixed(1)} is at most 5 above its ceiling ${most.toFixed(1)}`,
      );
    }
  }
}
const permuted = run(
  'train',
  '--dataset',
  'demo',
  '--recipe',
  'demo',
  '--seeds',
  values.seeds,
  '--set',
  'labels.permute=true',
);
for (const { name, seeds } of permuted.variants) {
  for (const { seed, pooled } of seeds) {
    const ua = points(pooled.scores.ua);
    claim(
      Math.abs(ua - 25) <= 8,
      `seed ${seed}: ${name} with permuted training labels has UA ${ua.toFixed(1)}, within 8 of 25`,
    );
  }
}
process.exit(broken > 0 ? 1 : 0);
