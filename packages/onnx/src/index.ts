export * from './element-type.ts';
export * from './graph.ts';
export * from './model-writer.ts';
