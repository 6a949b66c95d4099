// Runs a benchmark's sides interleaved and prints medians and ratios.
//
//   PYTHON=.venv/bin/python node bench/run.mjs step [--rounds 7] [--steps 5] [--text 40] [--audio 200]
//
// Each side is a process that is started once and then answers lines: `run <k>` -> {"ms": [..k timings..]},
// `memory` -> {"mib": peak}. Interleaving in one run is what makes a ratio worth something on a noisy machine.
import { parseArgs } from 'node:util';
import { median, startSide } from './sides.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '7' },
    steps: { type: 'string', default: '5' },
    text: { type: 'string', default: '40' },
    audio: { type: 'string', default: '200' },
    threads: { type: 'string', default: '2' },
    python: { type: 'string', default: process.env.PYTHON ?? 'python3' },
  },
});

const { text, audio, threads } = values;
const BENCHES = {
  // one training step, AdamW included: the idiomatic PyTorch twin, the hand-folded one, and ours
  step: [
    {
      name: 'torch idiomatic',
      command: [values.python, 'bench/step-peer.py', 'idiomatic', text, audio, threads],
    },
    { name: 'torch folded', command: [values.python, 'bench/step-peer.py', 'folded', text, audio, threads] },
    { name: 'lsgmer', command: ['node', 'bench/step-ours.mjs', text, audio, threads] },
  ],
};

const name = positionals[0] ?? 'step';
const sides = BENCHES[name];
if (sides === undefined) {
  console.error(`bench: no benchmark '${name}'; there are: ${Object.keys(BENCHES).join(', ')}`);
  process.exit(2);
}

const running = sides.map(startSide);
for (const side of running) await side.ask('run 3'); // warm up
for (let round = 0; round < Number(values.rounds); round++) {
  for (const side of running) {
    const { ms } = await side.ask(`run ${values.steps}`);
    side.times.push(median(ms));
  }
}
console.log(
  `${name}: text ${text} x audio ${audio}, batch 32, ${threads} threads, ${values.rounds} interleaved rounds of ${values.steps}`,
);
const ours = running.at(-1);
for (const side of running) {
  const { mib } = await side.ask('memory');
  const m = median(side.times);
  const ratio = side === ours ? '' : `  lsgmer is ${(m / median(ours.times)).toFixed(2)} times as fast`;
  console.log(
    `  ${side.name.padEnd(16)} median ${m.toFixed(1).padStart(7)} ms  (${Math.min(...side.times).toFixed(1)}-${Math.max(...side.times).toFixed(1)})  peak ${mib} MiB${ratio}`,
  );
}
for (const side of running) side.end();
