import { describe, expect, it } from 'vitest';
import type { Engine, HostBatch } from '../../src/head/contract.ts';
import { lsgmer } from '../../src/head/lsgmer.ts';
import {
  about,
  cases,
  goldenBatch,
  goldenCase,
  goldenDims,
  goldenTensor,
  largestDifference,
  worstTensor,
  type GoldenCase,
} from '../support/head-golden.ts';
import { ENGINES, withEngine } from '../support/head-engines.ts';

const computed = cases.filter((entry) => entry.loss !== undefined);

describe.each(Object.keys(ENGINES))('%s', (engineName) => {
  it.each(computed.map((entry) => [entry.name, entry] as const))(
    '%s: loss, logits and every gradient equal PyTorch',
    async (_, entry) => {
      await withEngine(engineName, entry, async (engine) => {
        const result = await engine.gradients(goldenBatch(entry.config));
        expect(Math.abs(result.loss - (entry.loss as number))).toBeLessThan(1e-6);
        expect(Math.abs(result.ce - (entry.ce as number))).toBeLessThan(1e-6);
        expect(Math.abs(result.apc - (entry.apc as number))).toBeLessThan(1e-6);
        expect(largestDifference(result.logits, entry.logits as number[])).toBeLessThan(1e-5);
        const { name, error } = worstTensor(entry, engine.gradient, goldenTensor(`${entry.name}/gradient`));
        expect(error, `gradient of ${name}`).toBeLessThan(1e-3);
      });
    },
  );
});

/** Loss, real rows' logits and gradient of the golden rows in some batch. */
async function pass(
  engine: Engine,
  batch: HostBatch,
): Promise<{ loss: number; logits: Float32Array; gradient: Float32Array }> {
  engine.clearGradients();
  const { loss, logits } = await engine.gradients(batch);
  const real = logits.slice(0, batch.ids.length * about.classes);
  return { loss, logits: real, gradient: engine.gradient.slice() };
}

const PADDINGS = {
  'five empty rows': { rows: 5 },
  '20 more tokens': { text: 20 },
  '50 more frames': { audio: 50 },
  '7 more map steps': { map: 7 },
  'all together': { rows: 5, text: 20, audio: 50, map: 7 },
  'all together, with numbers in the padding': { rows: 5, text: 20, audio: 50, map: 7, junk: 3 },
};
const everything = Object.keys(PADDINGS).slice(-1);

describe.each(Object.keys(ENGINES))('%s: padding changes nothing', (engineName) => {
  it.each([
    ['default', Object.keys(PADDINGS)],
    ['audio.alexnet=broadcast', everything],
    ['label.query=frames', everything],
    ['per-label, add-norm, linear, batch', everything],
    ['no-lsma-joo', everything],
    ['d=24, heads=2', everything], // with more tokens, the head asks in another form
    ['modality=text', everything],
    ['audio, concat, none', everything],
  ] as const)('%s', async (name, paddings) => {
    const entry = goldenCase(name);
    await withEngine(engineName, entry, async (engine) => {
      const plain = await pass(engine, goldenBatch(entry.config));
      for (const title of paddings) {
        const padding = PADDINGS[title as keyof typeof PADDINGS];
        const padded = await pass(engine, goldenBatch(entry.config, padding));
        expect(Math.abs(padded.loss - plain.loss), title).toBeLessThan(1e-5);
        expect(largestDifference(padded.logits, plain.logits), title).toBeLessThan(1e-5);
        const worst = worstTensor(entry, padded.gradient, plain.gradient);
        expect(worst.error, `${title}: gradient of ${worst.name}`).toBeLessThan(1e-5);
      }
    });
  });
});

describe.each(Object.keys(ENGINES))('%s: an utterance alone', (engineName) => {
  it('gets the logits that it gets in a batch of 32', async () => {
    const entry = goldenCase('default');
    await withEngine(engineName, entry, async (engine) => {
      const rows = Array.from({ length: 32 }, (_, i) => (i * 3) % about.rows);
      const { logits: together } = await engine.forward(goldenBatch(entry.config, { audio: 4 }, rows));
      for (let row = 0; row < about.rows; row++) {
        // no padding at all: the batch is as long as its utterance
        const own = {
          text: (about.lengths.text[row] as number) - about.tokens,
          audio: (about.lengths.audio[row] as number) - about.frames,
          map: (about.lengths.map[row] as number) - about.steps,
        };
        const { logits: alone } = await engine.forward(goldenBatch(entry.config, own, [row]));
        const at = rows.indexOf(row) * about.classes;
        expect(largestDifference(alone, together.subarray(at, at + about.classes))).toBeLessThan(1e-5);
      }
    });
  });
});

/** The vector with the rows of the label table in another order. */
function permuteLabels(entry: GoldenCase, parameters: Float32Array, order: readonly number[]): void {
  let at = 0;
  for (const [name, shape] of entry.parameters) {
    const size = shape.reduce((a, b) => a * b, 1);
    if (name === 'label.table') {
      const width = size / order.length;
      const table = parameters.slice(at, at + size);
      order.forEach((from, to) =>
        parameters.set(table.subarray(from * width, (from + 1) * width), at + to * width),
      );
    }
    at += size;
  }
}

describe('what follows from the readings', () => {
  const logits = async (engine: Engine, entry: GoldenCase): Promise<Float32Array> =>
    (await engine.forward(goldenBatch(entry.config))).logits;

  it.each([
    ['default', true],
    ['label.reduce=per-label', true],
    ['label.query=frames', true],
    ['label.reduce=concat', false],
  ] as const)('%s: permuting the label rows leaves the logits unchanged: %s', async (name, unchanged) => {
    const entry = goldenCase(name);
    await withEngine('eager', entry, async (engine) => {
      const before = await logits(engine, entry);
      const { apc } = await engine.gradients(goldenBatch(entry.config));
      permuteLabels(entry, engine.parameters, [2, 0, 3, 1]);
      const difference = largestDifference(await logits(engine, entry), before);
      if (unchanged) expect(difference).toBeLessThan(1e-5);
      else expect(difference).toBeGreaterThan(1e-2);
      // only APC ties row j to class j
      const permuted = await engine.gradients(goldenBatch(entry.config));
      expect(Math.abs(permuted.apc - apc)).toBeGreaterThan(1e-4);
    });
  });

  it('without a residual H_t1 holds audio: where all frames are alike, labels look at all tokens alike', async () => {
    const spread = async (name: string): Promise<number> => {
      const entry = goldenCase(name);
      return withEngine('eager', entry, async (engine) => {
        const batch = goldenBatch(entry.config);
        batch.feeds['audio']?.fill(0.5);
        batch.feeds['map']?.fill(0.25);
        const { extra } = await engine.forward(batch, true);
        const first = extra['attention.text']?.subarray(0, about.classes * about.tokens) as Float32Array; // 6 tokens
        return Math.max(...first) - Math.min(...first);
      });
    };
    expect(await spread('default')).toBeLessThan(1e-6);
    expect(await spread('cross.residual=add')).toBeGreaterThan(0.1);
  });

  it('APC under mean is a weak term; batch makes it N times as strong', async () => {
    const gradient = (name: string): Float32Array => goldenTensor(`${name}/gradient`);
    const norm = (values: Float32Array): number => Math.hypot(...values);
    const ce = gradient('no-joo');
    const minus = (a: Float32Array): Float32Array => a.map((value, i) => value - (ce[i] as number));
    const [mean, batch] = [minus(gradient('default')), minus(gradient('apc.reduce=batch'))];
    expect(norm(mean) / norm(ce)).toBeLessThan(0.02); // beta 0.05
    expect(norm(batch) / norm(mean)).toBeCloseTo(about.classes, 3);
  });

  it('dropout acts in training only', async () => {
    const dropped = goldenCase('classifier.dropout=0.4');
    const plain = await withEngine('eager', goldenCase('default'), (engine) =>
      logits(engine, goldenCase('default')),
    );
    expect(await withEngine('eager', dropped, (engine) => logits(engine, dropped))).toEqual(plain);
  });
});

describe('further tensors for analysis', () => {
  it.each(['eager', 'traced'])('%s: attention over real steps, gate weights', async (engineName) => {
    const entry = goldenCase('default');
    await withEngine(engineName, entry, async (engine) => {
      const { extra } = await engine.forward(goldenBatch(entry.config), true);
      expect(Object.keys(extra).sort()).toEqual([
        'attention.audio',
        'attention.text',
        'cross.audio',
        'cross.text',
        'fused',
        'gate',
      ]);
      const { classes, rows, lengths } = about;
      for (const [name, steps, real] of [
        ['attention.text', about.tokens, lengths.text],
        ['attention.audio', about.frames, lengths.audio],
      ] as const) {
        const weights = extra[name] as Float32Array;
        expect(weights.length).toBe(rows * classes * steps);
        for (let row = 0; row < rows; row++)
          for (let label = 0; label < classes; label++) {
            const at = (row * classes + label) * steps;
            const length = real[row] as number;
            const sum = weights.subarray(at, at + length).reduce((a, b) => a + b, 0);
            expect(sum).toBeCloseTo(1, 5);
            expect(Math.max(0, ...weights.subarray(at + length, at + steps))).toBe(0);
          }
      }
      const gate = extra['gate'] as Float32Array;
      expect(gate.length).toBe(rows * 2);
      for (let row = 0; row < rows; row++)
        expect((gate[2 * row] as number) + (gate[2 * row + 1] as number)).toBeCloseTo(1, 6);
    });
  });

  it('one modality has no gate; without label attention there is none to show', async () => {
    const names = async (name: string): Promise<string[]> => {
      const entry = goldenCase(name);
      return withEngine('eager', entry, async (engine) =>
        Object.keys((await engine.forward(goldenBatch(entry.config), true)).extra),
      );
    };
    expect(await names('modality=text')).toEqual(['attention.text', 'fused']);
    expect(await names('modality=audio')).toEqual(['attention.audio', 'fused']);
    expect(await names('no-lsma-joo')).toEqual(['cross.text', 'cross.audio', 'gate', 'fused']);
  });
});

describe('inputs', () => {
  const shape = { rows: 2, text: 3, audio: 4, map: 5 };
  const named = (config: GoldenCase['config']) =>
    lsgmer
      .inputs(config, goldenDims, 4, shape)
      .map(
        ({ name, shape, dtype }) => `${name} [${shape.join(',')}]${dtype === 'feature' ? ' feature' : ''}`,
      );

  it('lists what a configuration reads, and nothing else', () => {
    expect(named({})).toEqual([
      'text [2,3,6] feature',
      'textMask [2,3]',
      'audio [2,4,5] feature',
      'audioMask [2,4]',
      'map [2,5,14] feature',
      'mapPosition [2,4]',
      'target [2,4]',
      'weight [2]',
    ]);
    expect(named({ modality: 'text' })).toEqual([
      'text [2,3,6] feature',
      'textMask [2,3]',
      'target [2,4]',
      'weight [2]',
    ]);
    expect(
      named({
        modality: 'audio',
        'audio.alexnet': 'broadcast',
        'classifier.dropout': 0.1,
        'classifier.width': 9,
      }),
    ).toEqual([
      'audio [2,4,5] feature',
      'audioMask [2,4]',
      'map [2,5,14] feature',
      'mapPool [2,6,5]',
      'target [2,4]',
      'weight [2]',
      'dropout.classifier [2,9]',
    ]);
    expect(named({ 'audio.alexnet': 'none' })).not.toContain('map [2,5,14] feature');
  });
});
