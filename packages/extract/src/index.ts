export * from './tokenizer/text-tokenizer.ts';
export * from './tokenizer/train-bpe.ts';
