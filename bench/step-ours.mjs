// lsgmer's side of the step benchmark: gradients of the traced head and AdamW, on a ragged batch of 32.
//
//   node bench/step-ours.mjs TEXT AUDIO THREADS [DEVICE]      (after `make setup`)
//
// Answers lines on stdin: `run K` -> {"ms": [...]}, `memory` -> {"mib": peak}.
import { createInterface } from 'node:readline';
import { encodeHalf, Rng } from '../packages/datasets/dist/index.js';
import { AdamW, configure, initialValues, lsgmer, onnxEngine } from '../packages/train/dist/index.js';
import { mapPositions } from '../packages/train/dist/head/interpolation.js';

const [text, audio, threads] = process.argv.slice(2, 5).map(Number);
const device = process.argv[5] ?? 'cpu';
const ROWS = 32;
const CLASSES = 7;
const MAP = Math.max(1, Math.round(audio * 0.08)); // a map step covers 0.25 s, a frame 0.02 s
const dims = { text: 768, audio: 1024, map: 1792 };
const AUDIO_TIMES = { firstSeconds: 200 / 16000, stepSeconds: 320 / 16000 };
const MAP_TIMES = { firstSeconds: 31.5 / 128, stepSeconds: 32 / 128 };
const rng = Rng.for('step benchmark');

/** Lengths between half and the full number of steps, the first row full: as the twin's random batch has them. */
const ragged = (full) =>
  Array.from({ length: ROWS }, (_, i) =>
    i === 0 ? full : rng.int(full - Math.max(1, full >> 1) + 1) + Math.max(1, full >> 1),
  );
const mask = (lengths, full) =>
  Float32Array.from({ length: ROWS * full }, (_, i) => (i % full < lengths[Math.floor(i / full)] ? 1 : 0));

const half = (values) => {
  const out = new Uint16Array(values.length);
  encodeHalf(values, out);
  return out;
};
const { head: config } = configure(lsgmer, []);
const shape = { rows: ROWS, text, audio, map: MAP };
const mapLengths = ragged(MAP);
const target = new Float32Array(ROWS * CLASSES);
for (let row = 0; row < ROWS; row++) target[row * CLASSES + rng.int(CLASSES)] = 1;
const positions = new Float32Array(ROWS * audio);
mapLengths.forEach((steps, row) => {
  const own = positions.subarray(row * audio, (row + 1) * audio);
  mapPositions(audio, steps, AUDIO_TIMES, MAP_TIMES, own);
});
const feeds = {
  text: half(rng.normals(ROWS * text * dims.text)),
  textMask: mask(ragged(text), text),
  audio: half(rng.normals(ROWS * audio * dims.audio)),
  audioMask: mask(ragged(audio), audio),
  map: half(rng.normals(ROWS * MAP * dims.map)),
  mapPosition: positions,
  target,
  weight: new Float32Array(ROWS).fill(1 / ROWS),
};
const batch = { shape, ids: Array.from({ length: ROWS }, (_, i) => `bench/${i}`), feeds };

const factory = await onnxEngine({ device, threads });
const engine = await factory.create(lsgmer, config, dims, CLASSES);
engine.parameters.set(initialValues(lsgmer.parameters(config, dims, CLASSES), { weights: 0, labels: 0 }));
const optimiser = new AdamW(engine.parameters.length, { lr: 5e-4, decay: 0.01 }, engine.moments);

async function step() {
  engine.clearGradients();
  await engine.gradients(batch);
  optimiser.step(engine.parameters, engine.gradient);
}

for await (const line of createInterface({ input: process.stdin })) {
  const [verb, count] = line.split(' ');
  if (verb === 'run') {
    const ms = [];
    for (let i = 0; i < Number(count); i++) {
      const start = performance.now();
      await step();
      ms.push(performance.now() - start);
    }
    console.log(JSON.stringify({ ms }));
  } else {
    console.log(JSON.stringify({ mib: Math.round(process.resourceUsage().maxRSS / 1024) }));
  }
}
process.exit(0);
