export * from './element-type.ts';
export * from './graph.ts';
export * from './model-writer.ts';
export * from './tfjs.ts';
export * from './tracer/trace.ts';
export * from './tracer/scan.ts';
export * from './session.ts';
export * from './devices.ts';
