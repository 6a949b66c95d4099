import { Graph } from '@lsgmer/onnx/runtime';
import { type HiddenOutput, deepest, lastHiddenState } from './hidden-output.ts';
import { Layers } from './layers.ts';
import type { SpeechConfig } from './speech-config.ts';
import { convolutions, frameMask, positionalConvolution } from './speech-frontend.ts';
import { positionGate, relativePositionBias } from './wavlm-position.ts';
import type { WeightSource } from './weight-source.ts';

/** So many parts of the heads are attended to one after the other. */
const HEAD_PARTS = 4;

/**
 * Wav2Vec2Model (Baevski et al. 2020), HubertModel (Hsu et al. 2021) and WavLMModel (Chen et al. 2022) of Hugging
 * Face transformers, in evaluation mode.
 * Inputs `input_values` float32 [B, samples], `attention_mask` int64 [B, samples]; outputs
 * [B, frames, hidden_size], of which `last_hidden_state` has the encoder's final layer norm where
 * `do_stable_layer_norm` has one.
 *
 * With `layer` norms a padded clip with its mask gives what it gives alone; with `group` norm it does not, in
 * the reference either.
 *
 * @param weights tensors named as in the model's state dict without a prefix such as `wavlm.`, the positional convolution's weight norm resolved
 * @param outputs hidden states that are wanted, `last_hidden_state` unless given; layers past them are left out
 */
export function buildSpeechEncoder(
  config: SpeechConfig,
  weights: WeightSource,
  outputs: readonly HiddenOutput[] = [lastHiddenState(config.num_hidden_layers)],
): Graph {
  const { hidden_size: width, num_attention_heads: heads, layer_norm_eps: epsilon } = config;
  const g = new Graph(config.model_type);
  const layers = new Layers(g, weights);
  const waveform = g.input('input_values', 'float32', ['batch', 'samples']);
  const mask = g.input('attention_mask', 'int64', ['batch', 'samples']);

  const channels = config.conv_dim.at(-1) as number;
  const extracted = convolutions(layers, config, waveform); // [B, m, channels]
  const count = g.op('Gather', [g.op('Shape', [extracted]), g.scalar(1, 'int64')]);
  const positions = g.op('Range', [g.scalar(0, 'int64'), count, g.scalar(1, 'int64')]);
  const valid = frameMask(layers, config, mask, positions); // [B, m]
  const split = layers.headShape(extracted, heads, width);

  const flat = g.op('Reshape', [extracted, g.int64([-1, channels])]);
  const normed =
    config.model_type === 'hubert' && !config.feat_proj_layer_norm
      ? flat
      : layers.layerNorm(flat, 'feature_projection.layer_norm', channels, epsilon);
  const projected = layers.linear(normed, 'feature_projection.projection', channels, width); // [B m, width]
  const placed = g.op('Reshape', [
    projected,
    g.op('Concat', [g.op('Shape', [extracted], { start: 0, end: 2 }), g.int64([width])], { axis: 0 }),
  ]);
  // Chosen, not multiplied: padding may hold anything.
  const kept = g.op('Where', [g.op('Unsqueeze', [valid, g.int64([2])]), placed, g.scalar(0)]);
  const sum = g.op('Add', [kept, positionalConvolution(layers, config, kept)]);
  let hidden = g.op('Reshape', [sum, g.int64([-1, width])]);
  if (!config.do_stable_layer_norm) hidden = layers.layerNorm(hidden, 'encoder.layer_norm', width, epsilon);

  const parts = heads % HEAD_PARTS === 0 ? HEAD_PARTS : 1;
  const position =
    config.model_type === 'wavlm' ? relativePositionBias(layers, config, count, parts) : undefined;
  const keys = layers.keyBias(g.op('Cast', [valid], { to: 1 }));
  const give = (layer: number): void => {
    for (const { name, norm } of outputs.filter((output) => output.layer === layer)) {
      const closed = norm && config.do_stable_layer_norm;
      const given = closed ? layers.layerNorm(hidden, 'encoder.layer_norm', width, epsilon) : hidden;
      layers.output(given, extracted, width, 'frames', name);
    }
  };
  give(0);
  for (let l = 0; l < deepest(outputs); l++) {
    hidden = encoderLayer(layers, config, `encoder.layers.${l}`, { hidden, split, position, keys, parts });
    give(l + 1);
  }
  return g;
}

/** Norms before each half where do_stable_layer_norm is set (the large models), else after. [rows, width] -> same */
function encoderLayer(
  layers: Layers,
  config: SpeechConfig,
  name: string,
  state: {
    hidden: string;
    split: string;
    position: readonly string[] | undefined;
    keys: string;
    parts: number;
  },
): string {
  const g = layers.graph;
  const { hidden_size: width, num_attention_heads: heads, layer_norm_eps: epsilon } = config;
  const norm = (x: string, part: string): string => layers.layerNorm(x, `${name}.${part}`, width, epsilon);
  const feed = (x: string): string =>
    layers.feedForward(
      x,
      `${name}.feed_forward.intermediate_dense`,
      `${name}.feed_forward.output_dense`,
      width,
      config.intermediate_size,
    );

  const before = config.do_stable_layer_norm;
  const seen = before ? norm(state.hidden, 'layer_norm') : state.hidden;
  let biases = Array.from({ length: state.parts }, () => state.keys);
  if (config.model_type === 'wavlm' && state.position !== undefined) {
    const gate = positionGate(layers, config, `${name}.attention`, seen, state.split);
    const gates = layers.headParts(gate, state.parts);
    biases = state.position.map((bias, i) =>
      g.op('Add', [g.op('Mul', [gates[i] as string, bias]), state.keys]),
    );
  }
  const attended = layers.attention(
    seen,
    {
      query: `${name}.attention.q_proj`,
      key: `${name}.attention.k_proj`,
      value: `${name}.attention.v_proj`,
      output: `${name}.attention.out_proj`,
    },
    width,
    heads,
    state.split,
    biases,
  );
  const middle = g.op('Add', [state.hidden, attended]);
  if (before) return g.op('Add', [middle, feed(norm(middle, 'final_layer_norm'))]);
  const normed = norm(middle, 'layer_norm');
  return norm(g.op('Add', [normed, feed(normed)]), 'final_layer_norm');
}
