/**
 * What heads are built from, for heads inside and outside this package, which see it as `parts`:
 * docs/adding-a-head.md shows how.
 */
export * from './attention.ts';
export * from './classifier.ts';
export * from './cross.ts';
export * from './encoders.ts';
export * from './gate.ts';
export * from './label-attention.ts';
export * from './loss.ts';
export * from './lstm.ts';
export * from './ops.ts';
export * from './parameters.ts';
export * from './sequence.ts';
export * from './shared-options.ts';
