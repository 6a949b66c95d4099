/**
 * The one place that loads tfjs-core: with every gradient registered, which its Node entry leaves out. tfjs keeps
 * its engine, kernels and gradients in process-wide globals, so a backend package loaded elsewhere joins in.
 */
export * as tf from '@tensorflow/tfjs-core';
export { registeredGradients } from '../generated/tfjs-gradients.js';
