// Shows that runs end with the same bits whatever happens to them, and ends with code 1 where that does not hold:
//
//   node test/claims/train-runs.mjs [--rounds 6] [--keep]        (after `make setup`; some minutes)
//
// - killed with SIGKILL at a random moment, again and again, and gone on with, a plan ends as one that nobody disturbed
// - two commands at once on one plan do each run once, and end with the same bits; so do --jobs 2 and --only 1/2, 2/2
// - the claims of a killed process are taken over at once
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '6' }, keep: { type: 'boolean' } },
});
const lsgmer = join(dirname(fileURLToPath(import.meta.url)), '../../packages/cli/dist/main.js');
const folder = mkdtempSync(join(tmpdir(), 'lsgmer-train-runs-'));
let broken = 0;
const claim = (holds, text) => {
  console.log(`${holds ? 'holds ' : 'BROKEN'}  ${text}`);
  if (!holds) broken++;
};

const TRAIN = [
  'train --dataset demo --recipe demo --fold 1,2 --dev dialogue:0.2 --select dev --set epochs=6',
  '--set classifier.dropout=0.2 --set modality.dropout=0.2 --set standardise=train --set batch.accumulate=2',
  '--set lr.schedule=cosine',
].flatMap((words) => words.split(' '));
const once = (runs, ...more) =>
  spawnSync(process.execPath, [lsgmer, ...TRAIN, '--runs', runs, ...more], { cwd: folder, encoding: 'utf8' });
const start = (runs, ...more) => {
  const child = spawn(process.execPath, [lsgmer, ...TRAIN, '--runs', runs, ...more], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (err += text));
  const ended = new Promise((resolve) => child.once('close', (code) => resolve({ code, err })));
  return { child, ended };
};
/** Bytes of everything that a result consists of, by run and file. */
const resultsOf = (runs) => {
  const root = join(folder, runs, 'demo', '4class');
  const out = new Map();
  for (const run of readdirSync(root)
    .filter((name) => /^[0-9a-f]{12}$/.test(name))
    .sort())
    for (const file of readdirSync(join(root, run)).sort())
      if (!/^(timing\.jsonl|config\.json)$/.test(file))
        out.set(`${run}/${file}`, readFileSync(join(root, run, file)));
  return out;
};
const difference = (runs) => {
  const own = resultsOf(runs);
  const names = new Set([...own.keys(), ...undisturbed.keys()]);
  return [...names].filter((name) => !own.get(name) || !undisturbed.get(name)?.equals(own.get(name)));
};
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** Runs by title with how often their first epoch was trained. */
const firstEpochs = (text) => {
  const counts = new Map();
  for (const [, title] of text.matchAll(/^(?:\[\d+\] )?(\S+ \S+ seed \d+) {2}epoch 1\//gm))
    counts.set(title, (counts.get(title) ?? 0) + 1);
  return counts;
};

// the small corpus of the end-to-end tests would finish before it could be killed: the demo's own
const made = spawnSync(process.execPath, [lsgmer, 'demo', '--quiet'], { cwd: folder, encoding: 'utf8' });
if (made.status !== 0) throw new Error(made.stderr);
const plain = once('plain', '--jobs', '1', '--threads', '1');
if (plain.status !== 0) throw new Error(plain.stderr);
const undisturbed = resultsOf('plain');
const count = new Set([...undisturbed.keys()].map((name) => name.split('/')[0])).size;
console.log(`${count} runs of ${undisturbed.size / count} files`);

let kills = 0;
for (let round = 0; round < Number(values.rounds); round++) {
  const runs = `killed-${round}`;
  for (let tries = 0; tries < 4; tries++) {
    const { child, ended } = start(runs, '--jobs', '1', '--threads', String(1 + (round % 2)));
    await pause(2000 + Math.random() * 6000);
    if (child.exitCode === null) kills++;
    child.kill('SIGKILL');
    await ended;
  }
  const rest = once(runs, '--jobs', '1', '--threads', '1');
  if (rest.status !== 0) console.log(rest.stderr);
  const different = difference(runs);
  claim(
    different.length === 0,
    `round ${round + 1}: killed ${kills} times so far, gone on with: same bits ${different.join(' ')}`,
  );
}

const two = [start('both', '--jobs', '1'), start('both', '--jobs', '1')];
const [a, b] = await Promise.all(two.map(({ ended }) => ended));
claim(a.code === 0 && b.code === 0, `two commands at once end with ${a.code} and ${b.code}`);
const counts = firstEpochs(a.err + b.err);
claim(
  counts.size === count && [...counts.values()].every((n) => n === 1),
  `each of ${count} runs was done once: ${firstEpochs(a.err).size} by one, ${firstEpochs(b.err).size} by the other`,
);
claim(difference('both').length === 0, 'with the same bits as alone');

const jobs = once('jobs', '--jobs', '2');
claim(jobs.status === 0 && difference('jobs').length === 0, '--jobs 2: same bits');
once('shares', '--only', '1/2', '--jobs', '1');
const second = once('shares', '--only', '2/2', '--jobs', '1');
claim(second.status === 0 && difference('shares').length === 0, '--only 1/2, then 2/2: same bits');

const doomed = start('taken', '--jobs', '1');
await pause(4000);
const waiting = start('taken', '--jobs', '1');
await pause(3000);
doomed.child.kill('SIGKILL');
const took = await waiting.ended;
claim(
  took.code === 0 && difference('taken').length === 0,
  'the runs of a killed process are taken over: same bits',
);

const helped = start('orphan', '--jobs', '2');
await pause(6000);
helped.child.kill('SIGKILL');
await helped.ended;
await pause(5000);
const still = spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
  .stdout.split('\n')
  .filter((line) => line.includes('--worker') && line.includes(folder));
claim(still.length === 0, 'the helpers of a killed command stop by themselves');

if (values.keep !== true) rmSync(folder, { recursive: true });
process.exit(broken > 0 ? 1 : 0);
