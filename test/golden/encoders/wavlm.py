"""Hugging Face's WavLMModel on seeded random weights, both kinds of norm: writes wavlm.json."""

import torch
from transformers import WavLMConfig, WavLMModel
from transformers.models.wavlm.modeling_wavlm import WavLMAttention

from seeded import digits, fill, tensor, write

COMMON = dict(
    model_type="wavlm", hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=24,
    conv_dim=[8] * 7, conv_kernel=[10, 3, 3, 3, 3, 2, 2], conv_stride=[5, 2, 2, 2, 2, 2, 2],
    num_conv_pos_embedding_groups=4, layer_norm_eps=1e-5, hidden_act="gelu", feat_extract_activation="gelu",
)
KINDS = {
    "layer": dict(
        COMMON, conv_bias=False, feat_extract_norm="layer", do_stable_layer_norm=True, num_conv_pos_embeddings=16,
        num_buckets=32, max_bucket_distance=40,
    ),
    "group": dict(
        COMMON, conv_bias=True, feat_extract_norm="group", do_stable_layer_norm=False, num_conv_pos_embeddings=7,
        num_buckets=320, max_bucket_distance=800,
    ),
}
SEED = 5
LENGTHS = [400, 401, 719, 720, 16000]
RAGGED = [9000, 719, 5000]


def alone(model, length):
    waveform = tensor(SEED, f"input.{length}", [1, length])
    hidden = model(waveform, attention_mask=torch.ones_like(waveform, dtype=torch.long)).last_hidden_state
    return {"samples": length, "frames": hidden.shape[1], "hidden": digits(hidden)}


def ragged(model):
    batch = torch.zeros(len(RAGGED), max(RAGGED))
    mask = torch.zeros(batch.shape, dtype=torch.long)
    for i, length in enumerate(RAGGED):
        batch[i, :length] = tensor(SEED, f"input.{length}", [length])
        mask[i, :length] = 1
    hidden = model(batch, attention_mask=mask).last_hidden_state
    frames = model._get_feat_extract_output_lengths(torch.tensor(RAGGED)).tolist()
    return {"samples": RAGGED, "frames": frames, "hidden": [digits(hidden[i, :n]) for i, n in enumerate(frames)]}


def buckets(count, farthest):
    attention = WavLMAttention(embed_dim=16, num_heads=2, num_buckets=count, max_distance=farthest)
    return attention._relative_positions_bucket(-torch.arange(2 * farthest)).tolist()


golden = {"seed": SEED, "kinds": {}, "buckets": [
    {"count": count, "farthest": farthest, "bucketOf": buckets(count, farthest)}
    for count, farthest in [(320, 800), (32, 40), (64, 200)]
]}
for name, config in KINDS.items():
    model = fill(WavLMModel(WavLMConfig(**config)), SEED)
    with torch.no_grad():
        golden["kinds"][name] = {
            "config": config, "alone": [alone(model, length) for length in LENGTHS], "ragged": ragged(model),
        }
write("wavlm.json", golden)
