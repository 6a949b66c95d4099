import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { UserError, encodeHalf, fileTrouble } from '@lsgmer/datasets';
import {
  type ChannelMeans,
  INT8_SCHEME,
  ModelFile,
  halvePrecision,
  layConvolutions,
  quantiseProducts,
} from '@lsgmer/onnx/runtime';

/** In what an encoder computes: as its weights are, in float16, or with products of 8-bit integers (CPU only). */
export type ComputeDtype = 'fp32' | 'fp16' | 'int8';
export const COMPUTE_DTYPES: readonly ComputeDtype[] = ['fp32', 'fp16', 'int8'];

/** What the fingerprint says of it. */
export function computedAs(dtype: ComputeDtype): string {
  return { fp32: 'float32', fp16: 'float16', int8: INT8_SCHEME }[dtype];
}

/** What a graph is made into: another type, or float32 as a CPU computes it fastest. */
export type GraphForm = ComputeDtype | 'cpu';

/** Raised by hand when a CPU's float32 graph is laid out otherwise. */
const CPU_LAYOUT = 'cpu-1';

/** Where a graph of another form lies: beside the model's own. One that an older arithmetic made has another name. */
export function computeGraphPath(graph: string, form: GraphForm): string {
  if (form === 'fp32') return graph;
  const made = { int8: INT8_SCHEME.replace(/:.*/, ''), fp16: form, cpu: CPU_LAYOUT }[form];
  return join(dirname(graph), basename(graph).replace(/\.onnx$/, `.${made}.onnx`));
}

/** Whether a file of a model's folder is a graph of another form, made from the model's own. */
export function isConverted(file: string): boolean {
  return /\.(fp16|int8[-\d]*|cpu-\d+)\.onnx/.test(file);
}

/** Whether the graph of another form has to be made first. */
export function lacksGraph(graph: string, form: GraphForm): boolean {
  const path = computeGraphPath(graph, form);
  return path !== graph && !(existsSync(path) && statSync(path).mtimeMs >= statSync(graph).mtimeMs);
}

/**
 * The graph that computes in the given form, made from the float32 one where it is not there yet. A graph without products of
 * 64 x 64 and more (a spectrogram, convolutions alone) has nothing for int8 and stays what it is, one without convolutions along
 * time has nothing for a CPU.
 * @param means for int8: of what products take
 * @throws UserError when the graph is none that can be changed so
 */
export async function computeGraph(graph: string, form: GraphForm, means?: ChannelMeans): Promise<string> {
  const path = computeGraphPath(graph, form);
  if (!lacksGraph(graph, form)) return path;
  const draft = `${path}.${process.pid}.tmp`;
  try {
    const model = ModelFile.read(graph);
    if (form === 'fp16') halvePrecision(model, toHalf);
    else if ((form === 'cpu' ? layConvolutions(model) : quantiseProducts(model, means)) === 0) return graph;
    await model.write(draft);
    renameSync(draft, path);
    removeOlder(path);
  } catch (error) {
    rmSync(draft, { force: true });
    const wanted = form === 'cpu' ? 'ready for a CPU' : form;
    throw new UserError(`${graph} cannot be made ${wanted}: ${fileTrouble(error)}`, { cause: error });
  }
  return path;
}

/** Graphs of the same form that an older arithmetic made, and no command will look for again. */
function removeOlder(path: string): void {
  const [own, stem] = /^(.*\.(?:int8|cpu)-)\d+\.onnx$/.exec(basename(path)) ?? [];
  if (stem === undefined) return;
  for (const file of readdirSync(dirname(path)))
    if (file !== own && file.startsWith(stem) && /^\d+\.onnx$/.test(file.slice(stem.length)))
      rmSync(join(dirname(path), file), { force: true });
}

function toHalf(values: Float32Array): Uint16Array {
  const bits = new Uint16Array(values.length);
  const bad = encodeHalf(values, bits);
  if (bad >= 0) throw new Error(`a weight is ${values[bad]}`);
  return bits;
}
