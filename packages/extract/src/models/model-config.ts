import { z } from 'zod';
import { AlexnetConfig } from '../encoders/alexnet.ts';
import { RobertaConfig } from '../encoders/roberta.ts';
import { WavlmConfig } from '../encoders/wavlm-config.ts';

/** A model's config.json: model_type decides the architecture. */
export const ModelConfig = z.discriminatedUnion('model_type', [RobertaConfig, WavlmConfig, AlexnetConfig]);
export type ModelConfig = z.infer<typeof ModelConfig>;
