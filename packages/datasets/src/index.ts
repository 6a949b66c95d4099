export * from './base/atomic-file.ts';
export * from './base/canonical-json.ts';
export * from './base/errors.ts';
export * from './base/reporter.ts';
export * from './base/rng.ts';
export * from './manifest/card.ts';
export * from './manifest/utterance.ts';
export * from './store/feature-spec.ts';
