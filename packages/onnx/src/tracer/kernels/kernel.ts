import { tf } from '../../tfjs.ts';
import { BACKEND_NAME, type TraceBackend } from '../backend.ts';

/** Inputs by name; a list of tensors (AddN, Concat, Pack) comes as '0', '1', ... */
export type Inputs = { readonly [name: string]: tf.TensorInfo };

type NoAttributes = { readonly [name: string]: never };

export type KernelBody<A> = (
  trace: TraceBackend,
  inputs: Inputs,
  attributes: A,
) => tf.TensorInfo | tf.TensorInfo[];

/** Registers one kernel of the tracing backend under tfjs's name for it. */
export function kernel<A = NoAttributes>(name: string, body: KernelBody<A>): void {
  tf.registerKernel({
    kernelName: name,
    backendName: BACKEND_NAME,
    kernelFunc: ({ inputs, attrs, backend }) =>
      body(backend as TraceBackend, inputs as Inputs, (attrs ?? {}) as unknown as A),
  });
}

/** The named input of a kernel. */
export function input(inputs: Inputs, name: string): tf.TensorInfo {
  const tensor = inputs[name];
  if (tensor === undefined) throw new Error(`the kernel has no input ${name}`);
  return tensor;
}

/** A list of tensors as a kernel receives it. */
export function inputList(inputs: Inputs): tf.TensorInfo[] {
  return Array.isArray(inputs) ? (inputs as tf.TensorInfo[]) : Object.values(inputs);
}

/** An axis counted from the front. */
export function positiveAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}
