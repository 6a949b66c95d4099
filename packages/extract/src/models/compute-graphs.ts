import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { UserError, fileTrouble } from '@lsgmer/datasets';
import { type ChannelMeans, ModelFile, createSession, giveChannelMeans } from '@lsgmer/onnx/runtime';
import { type GraphForm, computeGraph, computeGraphPath, lacksGraph } from './compute-dtype.ts';
import { GraphChain, type Runner } from './graph-chain.ts';
import type { EncoderModel } from './model-folder.ts';
import { sampleInputs } from './sample-inputs.ts';

/**
 * The graphs that a model runs one after the other, in the given form; what is not there yet is made.
 * @throws UserError when a graph is none that can be changed so
 */
export async function computeGraphs(model: EncoderModel, form: GraphForm): Promise<string[]> {
  const { config, folder, graphPath } = model;
  const graphs =
    config.model_type === 'onnx' ? config.models.map(({ file }) => join(folder, file)) : [graphPath];
  const means =
    form === 'int8' && graphs.some((graph) => lacksGraph(graph, form))
      ? await channelMeans(model, graphs)
      : [];
  const made: string[] = [];
  for (const [i, graph] of graphs.entries()) made.push(await computeGraph(graph, form, means[i]));
  return made;
}

/** Means of what products take, over the sample inputs, for each of the graphs; on one thread, for the same bits everywhere here. */
async function channelMeans(model: EncoderModel, graphs: readonly string[]): Promise<ChannelMeans[]> {
  const drafts: string[] = [];
  try {
    const given: Map<string, string>[] = [];
    for (const [i, graph] of graphs.entries()) {
      const file = ModelFile.read(graph);
      given.push(giveChannelMeans(file, `graph${i}`));
      const draft = `${computeGraphPath(graph, 'int8')}.means.${process.pid}.tmp`;
      drafts.push(draft);
      await file.write(draft);
    }
    const names = given.flatMap((means) => [...means.values()]);
    if (names.length === 0) return given.map(() => new Map());
    const sums = await summed(model, drafts, names);
    const count = sampleInputs(model).length;
    return given.map(
      (means) =>
        new Map(
          [...means].map(([value, name]) => [
            value,
            Float32Array.from(sums.get(name) as Float64Array, (sum) => {
              const mean = sum / count;
              return Number.isFinite(mean) ? mean : 0;
            }),
          ]),
        ),
    );
  } catch (error) {
    throw new UserError(`${graphs.join(', ')} cannot be made int8: ${fileTrouble(error)}`, {
      cause: error,
    });
  } finally {
    for (const draft of drafts) rmSync(draft, { force: true });
  }
}

/** Outputs of a model's graphs, summed over the sample inputs. */
async function summed(
  model: EncoderModel,
  paths: readonly string[],
  names: readonly string[],
): Promise<Map<string, Float64Array>> {
  const options = { device: 'cpu', threads: 1 } as const;
  const { config, form } = model;
  const runner: Runner =
    config.model_type === 'onnx'
      ? await GraphChain.open(config, paths, options)
      : await createSession(paths[0] as string, options);
  try {
    const sums = new Map<string, Float64Array>();
    for (const input of sampleInputs(model)) {
      const results = await runner.run(form.feeds([input]), names);
      for (const name of names) {
        const values = results[name]?.data as Float32Array;
        const sum = sums.get(name) ?? new Float64Array(values.length);
        values.forEach((value, i) => (sum[i] = (sum[i] as number) + value));
        sums.set(name, sum);
      }
    }
    return sums;
  } finally {
    await runner.release();
  }
}
