// Whole trainings from the command line, on the demo corpus (made where it is not there):
//
//   node bench/train-runs.mjs [--rounds 3] [--folder DIR]        (after `make setup`)
//
// - two runs at one thread each beside one run at two threads, at the demo's size and at d 256, in turns
// - from the command to the first step, shards warm: until the first epoch's line, less that epoch's own training
// - five folds x 20 epochs of the full head
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, folder: { type: 'string' } },
});
const lsgmer = join(dirname(fileURLToPath(import.meta.url)), '../packages/cli/dist/main.js');
const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'lsgmer-bench-'));
const made = spawnSync(process.execPath, [lsgmer, 'demo', '--quiet'], { cwd: folder, encoding: 'utf8' });
if (made.status !== 0) throw new Error(made.stderr);

/** Runs a training in a fresh folder of runs; seconds in all, and until the first epoch was reported. */
async function train(...more) {
  const runs = mkdtempSync(join(folder, 'runs-'));
  const args = [
    lsgmer,
    'train',
    '--dataset',
    'demo',
    '--recipe',
    'demo',
    '--ablation',
    'full',
    '--runs',
    runs,
    ...more,
  ];
  const started = performance.now();
  let first;
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    if (/epoch 1\//.test(text)) first ??= (performance.now() - started) / 1000;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`train ended with ${code}`);
  const seconds = (performance.now() - started) / 1000;
  const root = join(runs, 'demo', '4class');
  const epochs = readdirSync(root).map((run) => {
    const [line] = readFileSync(join(root, run, 'timing.jsonl'), 'utf8').split('\n');
    return JSON.parse(line).seconds;
  });
  rmSync(runs, { recursive: true });
  return { seconds, toFirstStep: first - Math.min(...epochs) };
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const range = (list) =>
  `${median(list).toFixed(1)} s (${Math.min(...list).toFixed(1)} to ${Math.max(...list).toFixed(1)})`;

const sizes = {
  'demo size, 5 folds x 8 epochs': [],
  'd 256, 5 folds x 3 epochs': ['--set', 'd=256', '--set', 'epochs=3'],
};
for (const [name, set] of Object.entries(sizes)) {
  const runs = [];
  const threads = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    runs.push((await train(...set, '--jobs', '2', '--threads', '1')).seconds);
    threads.push((await train(...set, '--jobs', '1', '--threads', '2')).seconds);
  }
  console.log(
    `${name}: two runs at one thread ${range(runs)}, one run at two threads ${range(threads)}, ratio ${(median(threads) / median(runs)).toFixed(2)}`,
  );
}
const starts = [];
for (let round = 0; round < Number(values.rounds); round++)
  starts.push((await train('--fold', '1', '--set', 'epochs=1')).toFirstStep);
console.log(`from the command to the first step: ${range(starts)}`);
const whole = [];
for (let round = 0; round < Math.min(3, Number(values.rounds)); round++)
  whole.push((await train('--set', 'epochs=20')).seconds);
console.log(`five folds x 20 epochs: ${range(whole)}`);
if (values.folder === undefined) rmSync(folder, { recursive: true });
