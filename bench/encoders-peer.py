"""Hugging Face transformers' side of the encoder benchmark.

    encoders-peer.py make DIR                     random full-size checkpoints, as transformers and torch save them
    encoders-peer.py wavlm|roberta DIR THREADS    answers lines on stdin

`round I R` -> {"ms": seconds of every R-th input from I on, "units": samples or tokens}, `outputs N` -> the first N inputs'
last hidden states in DIR/<kind>.peer, `memory` -> {"mib": peak}. WavLM runs one clip at a time, RoBERTa batches of 8
sorted by length with padding: what is fastest for each on a CPU.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path

import numpy as np
import torch
import transformers

transformers.logging.set_verbosity_error()
kind, folder = sys.argv[1], Path(sys.argv[2])


def make():
    torch.manual_seed(0)
    text = transformers.RobertaConfig(vocab_size=50265, max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5, pad_token_id=1)
    transformers.RobertaModel(text).save_pretrained(folder / "roberta-base")
    speech = transformers.WavLMConfig(
        hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096, feat_extract_norm="layer",
        do_stable_layer_norm=True, num_buckets=320, max_bucket_distance=800,
    )
    path = folder / "wavlm-large"
    os.makedirs(path, exist_ok=True)
    model = transformers.WavLMModel(speech)
    model.config.save_pretrained(path)
    # As the released checkpoint is: torch's zip format, weight norm as weight_g and weight_v.
    names = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    state = model.state_dict()
    for ours, theirs in names.items():
        state = {key.replace(ours, theirs): value for key, value in state.items()}
    torch.save(state, path / "pytorch_model.bin")
    transformers.Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=True).save_pretrained(path)


def clips():
    samples = np.fromfile(folder / "clips.f32", dtype=np.float32)
    return np.split(samples, np.cumsum(json.loads((folder / "clips.json").read_text()))[:-1])


@torch.inference_mode()
def serve(threads):
    torch.set_num_threads(threads)
    if kind == "wavlm":
        model = transformers.WavLMModel.from_pretrained(folder / "wavlm-large").eval()
        extractor = transformers.Wav2Vec2FeatureExtractor.from_pretrained(folder / "wavlm-large")
        inputs = clips()

        def encode(rows):
            for row in rows:
                values = extractor(row, sampling_rate=16000, return_tensors="pt").input_values
                yield model(values).last_hidden_state[0]
    else:
        model = transformers.RobertaModel.from_pretrained(folder / "roberta-base", add_pooling_layer=False).eval()
        inputs = json.loads((folder / "texts.json").read_text())

        def encode(rows):
            order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
            found = [None] * len(rows)
            for at in range(0, len(order), 8):
                batch = order[at : at + 8]
                longest = max(len(rows[i]) for i in batch)
                ids = torch.tensor([rows[i] + [1] * (longest - len(rows[i])) for i in batch])
                mask = torch.tensor([[1] * len(rows[i]) + [0] * (longest - len(rows[i])) for i in batch])
                hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
                for j, i in enumerate(batch):
                    found[i] = hidden[j, : len(rows[i])]
            return found

    for line in sys.stdin:
        words = line.split()
        if words[0] == "round":
            rows = inputs[int(words[1]) :: int(words[2])]
            wall, cpu = time.perf_counter(), time.process_time()
            list(encode(rows))
            answer = {
                "ms": (time.perf_counter() - wall) * 1000,
                "cpu": (time.process_time() - cpu) * 1000,
                "units": sum(len(row) for row in rows),
            }
        elif words[0] == "outputs":
            hidden = torch.cat(list(encode(inputs[: int(words[1])])))
            hidden.numpy().tofile(folder / f"{kind}.peer")
            answer = {"steps": len(hidden)}
        else:
            answer = {"mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}
        print(json.dumps(answer), flush=True)


if kind == "make":
    make()
else:
    serve(int(sys.argv[3]))
