import { Rng, drawDelivery, drawSpeaker, speak } from '@lsgmer/datasets';
import type { EncoderInput } from '../features/form.ts';
import type { EncoderModel } from './model-folder.ts';

/** Of several languages and kinds, short and long, as people speak and write. */
const TEXTS = [
  'Okay, so tell me again: what exactly did she say?',
  "No. No, I don't think that was what anybody wanted.",
  'Oh my God, you are not going to believe this!',
  'I left the keys on the kitchen table this morning, next to the letters.',
  'Why would you do something like that to your own brother?',
  "That's the best news that I have heard all week.",
  'Well, we could go to the station first and look for your bag there, if there is still enough time before the train leaves.',
  'Please stop.',
  'Yeah...',
  'The meeting has been moved to Thursday at 3:30 p.m., room 204.',
  'He just stood there and looked at me, and then he began to cry.',
  'Thank you so much for coming, it really means a lot to us.',
  'You never listen, do you? You never, ever listen!',
  'Ich weiß nicht, ob das heute noch etwas wird.',
  'Je ne peux pas le croire, c’est formidable !',
  '我们明天再谈这件事吧。',
] as const;
const VOICES = 8;

/**
 * What an encoder is tried on, the same everywhere and for every model of its kind: token ids of sixteen texts, or eight voices of
 * two to four seconds, made as the demo's are, with as many samples at any rate.
 */
export function sampleInputs({ form, tokenizer }: EncoderModel): EncoderInput[] {
  if (form.kind === 'audio') return voices();
  if (tokenizer === undefined) throw new Error('a text encoder without a tokenizer');
  return TEXTS.map((text) => tokenizer.encode(text).ids);
}

function voices(): Float32Array[] {
  const rng = Rng.for('sample inputs');
  return Array.from({ length: VOICES }, (_, i) => {
    const speaker = drawSpeaker(rng, i % 2 === 0 ? 'F' : 'M');
    const delivery = drawDelivery(rng, [4 + (i % 3), 5]);
    return speak(rng, speaker, delivery, { arousal: i % 4 < 2, valence: i < VOICES / 2 });
  });
}
