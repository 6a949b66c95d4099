import { Graph } from '@lsgmer/onnx/runtime';
import { type HiddenOutput, deepest, lastHiddenState } from './hidden-output.ts';
import { Layers } from './layers.ts';
import type { TextConfig } from './text-config.ts';
import type { WeightSource } from './weight-source.ts';

/**
 * BertModel (Devlin et al. 2019) and RobertaModel (Liu et al. 2019) of Hugging Face transformers, without their
 * poolers; XLM-R and CamemBERT are RobertaModels.
 * Inputs `input_ids`, `attention_mask` int64 [B, n]; outputs [B, n, hidden_size].
 *
 * @param weights tensors named as in the model's state dict, without a prefix such as `roberta.`
 * @param outputs hidden states that are wanted, `last_hidden_state` unless given; layers past them are left out
 */
export function buildTextEncoder(
  config: TextConfig,
  weights: WeightSource,
  outputs: readonly HiddenOutput[] = [lastHiddenState(config.num_hidden_layers)],
): Graph {
  const { hidden_size: width, num_attention_heads: heads, layer_norm_eps: epsilon } = config;
  const g = new Graph(config.model_type);
  const layers = new Layers(g, weights);
  const ids = g.input('input_ids', 'int64', ['batch', 'tokens']);
  const mask = g.input('attention_mask', 'int64', ['batch', 'tokens']);

  let hidden = layers.layerNorm(embeddings(layers, config, ids), 'embeddings.LayerNorm', width, epsilon);
  hidden = g.op('Reshape', [hidden, g.int64([-1, width])]); // [B n, width]
  const split = layers.headShape(ids, heads, width);
  const bias = layers.keyBias(g.op('Cast', [mask], { to: 1 }));
  const give = (layer: number): void => {
    for (const { name } of outputs.filter((output) => output.layer === layer))
      layers.output(hidden, ids, width, 'tokens', name);
  };
  give(0);
  for (let l = 0; l < deepest(outputs); l++) {
    const name = `encoder.layer.${l}`;
    const attended = layers.attention(
      hidden,
      {
        query: `${name}.attention.self.query`,
        key: `${name}.attention.self.key`,
        value: `${name}.attention.self.value`,
        output: `${name}.attention.output.dense`,
      },
      width,
      heads,
      split,
      [bias],
    );
    const middle = g.op('Add', [attended, hidden]);
    const normed = layers.layerNorm(middle, `${name}.attention.output.LayerNorm`, width, epsilon);
    const fed = layers.feedForward(
      normed,
      `${name}.intermediate.dense`,
      `${name}.output.dense`,
      width,
      config.intermediate_size,
    );
    hidden = layers.layerNorm(g.op('Add', [fed, normed]), `${name}.output.LayerNorm`, width, epsilon);
    give(l + 1);
  }
  return g;
}

/** Words + token type 0 + positions. [B, n, width] */
function embeddings(layers: Layers, config: TextConfig, ids: string): string {
  const g = layers.graph;
  const width = config.hidden_size;
  const word = g.op('Gather', [
    layers.parameter('embeddings.word_embeddings.weight', [config.vocab_size, width]),
    ids,
  ]);
  const position = g.op('Gather', [
    layers.parameter('embeddings.position_embeddings.weight', [config.max_position_embeddings, width]),
    config.model_type === 'bert' ? countedPositions(layers, ids) : realPositions(layers, config, ids),
  ]);
  const types = layers.parameter('embeddings.token_type_embeddings.weight', [config.type_vocab_size, width]);
  const type = g.op('Gather', [types, g.scalar(0, 'int64')]); // [width]
  return g.op('Add', [g.op('Add', [word, type]), position]);
}

/** 0, 1, 2, ... whatever the tokens are. [n] */
function countedPositions(layers: Layers, ids: string): string {
  const g = layers.graph;
  const count = g.op('Gather', [g.op('Shape', [ids]), g.scalar(1, 'int64')]);
  return g.op('Range', [g.scalar(0, 'int64'), count, g.scalar(1, 'int64')]);
}

/** Counts the tokens that are no padding, from the padding's id on. [B, n] */
function realPositions(layers: Layers, config: TextConfig, ids: string): string {
  const g = layers.graph;
  const pad = g.scalar(config.pad_token_id, 'int64');
  const real = g.op('Cast', [g.op('Not', [g.op('Equal', [ids, pad])])], { to: 7 });
  const counted = g.op('Mul', [g.op('CumSum', [real, g.scalar(1, 'int64')]), real]);
  return g.op('Add', [counted, pad]);
}
