export * from './runtime.ts';
export * from './tfjs.ts';
export * from './tracer/lstm.ts';
export * from './tracer/symbolic.ts';
export * from './tracer/trace.ts';
export * from './tracer/lacking.ts';
export * from './tracer/scan.ts';
export * from './tracer/real-steps.ts';
