// Graphs, sessions and devices without tfjs, which takes longer to load than all of these: what extraction needs.
export * from './element-type.ts';
export * from './graph.ts';
export * from './model-writer.ts';
export * from './model-file.ts';
export * from './float-convolutions.ts';
export * from './quantise.ts';
export * from './channel-means.ts';
export * from './half-model.ts';
export * from './cores.ts';
export * from './session.ts';
export * from './devices.ts';
export * from './optimised.ts';
