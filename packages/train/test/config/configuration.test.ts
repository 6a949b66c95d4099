import { describe, expect, it } from 'vitest';
import { UserErrors } from '@lsgmer/datasets';
import { configure, listOptions, readSettings } from '../../src/config/configuration.ts';
import { tinyHead } from '../support/tiny-head.ts';

function problems(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof UserErrors) return error.problems;
    throw error;
  }
  throw new Error('expected UserErrors');
}

describe('configuration', () => {
  it('has the defaults of the paper', () => {
    const { trainer, head, values } = configure(tinyHead, []);
    expect(trainer).toEqual({
      epochs: 50,
      batchSize: 32,
      batchFrames: 12_800,
      batchShapes: 6,
      batchBlock: 4,
      lr: 5e-4,
      beta1: 0.9,
      beta2: 0.999,
      eps: 1e-8,
      decay: 0.01,
      // everything below is off in the paper's setting
      accumulate: 1,
      balanced: false,
      classBeta: 0.999,
      classWeights: 'none',
      clip: 0,
      decayAll: true,
      modalityDropout: 0,
      schedule: 'constant',
      smoothing: 0,
      standardise: 'none',
      warmup: 0,
      labelSeed: undefined,
      permuteLabels: false,
    });
    expect(head).toEqual({ modality: 'full', apc: 0.1, 'ma.alpha': 0.99, 'classifier.dropout': 0 });
    expect(values).toMatchObject({ epochs: 50, modality: 'full' });
  });

  it('lets later layers win', () => {
    const recipe = { from: 'recipe demo', set: { epochs: 8, lr: 0.01, apc: 0.5 } };
    const settings = readSettings(tinyHead, ['lr=2e-3', 'modality=text', 'labels.permute=true']);
    const { trainer, head } = configure(tinyHead, [recipe, settings]);
    expect([trainer.epochs, trainer.lr, trainer.permuteLabels]).toEqual([8, 0.002, true]);
    expect([head['apc'], head['modality']]).toEqual([0.5, 'text']);
  });

  it('reports all problems of all layers at once, with the nearest key', () => {
    const layers = [
      { from: 'recipe demo', set: { epoch: 3, 'batch.size': 1.5, apc: -1, modality: 'video' } },
      {
        from: '--set',
        set: { 'ma.alhpa': 0.5, lr: 'fast', 'labels.permute': 1, 'classifier.dropout': 0.95 },
      },
    ];
    expect(problems(() => configure(tinyHead, layers))).toEqual([
      'recipe demo: unknown key epoch, the nearest is epochs; train --options lists all',
      'recipe demo: batch.size: 1.5 is not valid, expected integer, 1 or more',
      'recipe demo: apc: -1 is not valid, expected number, 0 or more',
      'recipe demo: modality: "video" is not valid, expected one of full, text, audio',
      '--set: unknown key ma.alhpa, the nearest is ma.alpha; train --options lists all',
      '--set: lr: "fast" is not valid, expected number, 0 or more',
      '--set: labels.permute: 1 is not valid, expected boolean',
      '--set: classifier.dropout: 0.95 is not valid, expected number, 0 to 0.9',
    ]);
  });

  it('reports all unreadable --set texts at once', () => {
    const texts = ['epochs', '=3', 'epochs=ten', 'lr=0x10', 'lr=', 'betas=0.9', 'apc=1', 'apc=2'];
    expect(problems(() => readSettings(tinyHead, texts))).toEqual([
      '--set epochs: expected key=value',
      '--set =3: expected key=value',
      '--set: lr is given twice',
      '--set: apc is given twice',
      '--set: epochs: "ten" is not valid, expected integer, 1 or more',
      '--set: lr: "" is not valid, expected number, 0 or more',
      expect.stringMatching(/^--set: unknown key betas, the nearest is \S+; train --options lists all$/),
    ]);
  });

  it('lets nothing take back what a fixed layer stands for', () => {
    const variant = { from: 'variant text', set: { modality: 'text', apc: 0 }, fixed: true };
    expect(
      problems(() => configure(tinyHead, [variant, readSettings(tinyHead, ['modality=audio', 'apc=0'])])),
    ).toEqual(['--set: modality is "text" in variant text; leave it, or choose other variants']);
  });

  it('lists every option with type, default, source and help', () => {
    const rows = listOptions(tinyHead);
    expect(rows.find((r) => r.key === 'epochs')).toMatchObject({ type: 'integer, 1 or more', default: 50 });
    expect(rows.find((r) => r.key === 'modality')).toMatchObject({
      type: 'one of full, text, audio',
      source: 'own',
    });
    expect(rows.every((r) => r.help !== '' && r.source !== '')).toBe(true);
  });

  it('refuses a head that declares a key of the trainer', () => {
    const clash = { ...tinyHead, options: [{ ...tinyHead.options[0], key: 'lr' } as never] };
    expect(() => configure(clash, [])).toThrow('head tiny: option lr is declared twice');
  });
});
