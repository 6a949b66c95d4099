import type { ManifestStats, PredictedCost } from '@lsgmer/datasets';

/** Figures of a made-up manifest. */
export const figures: ManifestStats = {
  utterances: 100,
  labelled: 90,
  seconds: 250,
  withSeconds: 99,
  speakers: 15,
  dialogues: 4,
  task: { name: '4class', rows: 80, excluded: { xxx: 10, '(none)': 10 } },
  tallies: [
    {
      name: 'class',
      counts: [
        { value: 'neu<tral>', rows: 60, seconds: 150 },
        { value: 'angry', rows: 20, seconds: 50 },
        { value: '(none)', rows: 20, seconds: 50 },
      ],
    },
    {
      name: 'speaker',
      counts: Array.from({ length: 15 }, (_, i) => ({ value: `s${i}`, rows: 20 - i, seconds: 1 })),
    },
    { name: 'split', counts: [{ value: 'train', rows: 100, seconds: 250 }] },
  ],
  classesBy: {
    field: 'session',
    classes: ['neu<tral>', 'angry'],
    rows: [
      { value: 'Ses01', counts: [40, 5] },
      { value: 'Ses02', counts: [20, 15] },
    ],
  },
  distributions: [
    {
      name: 'duration',
      unit: 's',
      rows: 99,
      min: 0.5,
      mean: 2.5,
      p50: 2,
      p95: 5,
      p99: 6,
      max: 30,
      bins: [
        { from: 0, to: 1, rows: 10 },
        { from: 1, to: 2, rows: 80 },
        { from: 2, to: 3, rows: 0 },
      ],
      beyond: 9,
    },
  ],
};
/** What its features would take. */
export const costs: Record<string, PredictedCost[]> = {
  paper: [
    {
      feature: 'wavlm-large',
      dim: 1024,
      rows: 99,
      annotated: 0,
      steps: 12450,
      bytes: 2.55e7,
      coreSeconds: 58,
    },
  ],
};
