"""Checkpoints as Hugging Face transformers and torch save them, with random weights at toy size, and what
transformers itself computes of them: every hidden layer, single inputs, odd lengths and batches.

    python write.py        writes a folder per model beside this file

Each folder holds the files of a model as a user has them, and expected.safetensors: `<input>.<k>` is hidden state k
of an input ([frames or tokens, width]; of long inputs every 7th and the last), `<input>.last` the last_hidden_state.
"""

import argparse
import json
import shutil
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from torch import nn

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "encoders"))
from seeded import tensor  # noqa: E402

transformers.logging.set_verbosity_error()
LENGTHS = [400, 401, 719, 720, 16000, 33333, 48000]
TEXT = dict(
    vocab_size=300, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=24,
    max_position_embeddings=44, layer_norm_eps=1e-5, hidden_dropout_prob=0.0,
)
SPEECH = dict(
    hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24, conv_dim=[8] * 7,
    num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=2, num_feat_extract_layers=7, codevector_dim=8,
    proj_codevector_dim=8, num_codevectors_per_group=4, vocab_size=12, mask_time_prob=0.05,
)
LAYER = dict(feat_extract_norm="layer", do_stable_layer_norm=True)


def randomise(model, seed):
    """Values that make every part matter: initialisation leaves biases at zero and gains at one."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            noise = torch.randn(parameter.shape, generator=generator)
            gain = name.endswith(("norm.weight", "LayerNorm.weight", "const", "original0", "weight_g"))
            parameter.copy_(1 + 0.2 * noise if gain else 0.3 * noise)
    return model.eval()


def folder(name):
    path = HERE / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    return path


def thinned(values):
    return values if len(values) <= 60 else torch.cat([values[::7], values[-1:]])


def states(out, row, steps, final_norm):
    """Hidden states of one row; transformers 5 gives the raw last layer of speech models, 4 the normed one."""
    hidden = [state[row, :steps] for state in out.hidden_states]
    last = out.last_hidden_state[row, :steps]
    assert torch.equal(hidden[-1], last) != final_norm
    named = {str(k): state for k, state in enumerate(hidden)}
    return {**named, "last": last}


def expect(path, entries):
    save_file({f"{name}.{k}": thinned(v).clone().contiguous() for name, one in entries.items() for k, v in one.items()},
              path / "expected.safetensors")


@torch.no_grad()
def text_expected(path, model):
    rows = [[0, 2], [0, 17, 42, 5, 2], [0] + [(7 * i + 4) % 59 for i in range(36)] + [2], [0, 30, 31, 32, 33, 2]]
    longest = max(map(len, rows))
    pad = model.config.pad_token_id
    ids = torch.tensor([row + [pad] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    alone = {f"{'-'.join(map(str, row))}": states(model(input_ids=torch.tensor([row]), output_hidden_states=True), 0, len(row), False)
             for row in rows}
    batch = model(input_ids=ids, attention_mask=mask, output_hidden_states=True)
    for i, row in enumerate(rows):
        assert torch.allclose(batch.last_hidden_state[i, : len(row)], alone["-".join(map(str, row))]["last"], atol=1e-5)
    expect(path, alone)


@torch.no_grad()
def speech_expected(path, model, normalise):
    extractor = transformers.Wav2Vec2FeatureExtractor(do_normalize=normalise, return_attention_mask=True)
    extractor.save_pretrained(path)
    stable = model.config.do_stable_layer_norm
    clips = {length: 0.05 + 0.3 * tensor(5, f"input.{length}", [length]).numpy() for length in LENGTHS}
    frames = lambda length: int(model._get_feat_extract_output_lengths(torch.tensor(length)))
    entries = {}
    for length, clip in clips.items():
        values = extractor(clip, sampling_rate=16000, return_tensors="pt").input_values
        entries[str(length)] = states(model(values, output_hidden_states=True), 0, frames(length), stable)
    if model.config.feat_extract_norm == "layer":
        # Padded with a mask, as transformers batches: group norm gives something else there, even in the reference.
        three = [16000, 720, 33333]
        inputs = extractor([clips[n] for n in three], sampling_rate=16000, return_tensors="pt", padding=True)
        out = model(**inputs, output_hidden_states=True)
        for i, length in enumerate(three):
            batched = states(out, i, frames(length), stable)
            worst = max(float((batched[k] - entries[str(length)][k]).abs().max()) for k in batched)
            assert worst < 1e-4, worst
            entries[f"batched-{length}"] = {"last": batched["last"]}
    else:
        pair = [clips[16000], clips[33333][:16000]]
        out = model(**extractor(pair, sampling_rate=16000, return_tensors="pt"), output_hidden_states=True)
        entries["pair-0"] = {"last": out.last_hidden_state[0]}
        entries["pair-1"] = {"last": out.last_hidden_state[1]}
    expect(path, entries)


def main():
    # RobertaModel with its pooler, safetensors.
    path = folder("roberta")
    model = randomise(transformers.RobertaModel(transformers.RobertaConfig(**TEXT, pad_token_id=1, type_vocab_size=1)), 1)
    model.save_pretrained(path)
    text_expected(path, model)

    # RobertaForMaskedLM in bfloat16, torch's zip format, as pytorch_model.bin.
    path = folder("roberta-masked-lm")
    model = randomise(transformers.RobertaForMaskedLM(transformers.RobertaConfig(**TEXT, pad_token_id=1, type_vocab_size=1)), 2)
    model = model.to(torch.bfloat16)
    model.config.save_pretrained(path)
    torch.save(model.state_dict(), path / "pytorch_model.bin")
    text_expected(path, model.float().roberta)

    # XLM-RoBERTa in float16, two safetensors files and their index.
    path = folder("xlm-roberta-sharded")
    model = randomise(transformers.XLMRobertaModel(transformers.XLMRobertaConfig(**TEXT, pad_token_id=1, type_vocab_size=1), add_pooling_layer=False), 3)
    model = model.to(torch.float16)
    model.save_pretrained(path, max_shard_size="16KB")
    assert len(list(path.glob("model-*.safetensors"))) > 1
    text_expected(path, model.float())

    # BertForPreTraining with the names of its day (gamma, beta), in the format of torch before 1.6.
    path = folder("bert-legacy")
    model = randomise(transformers.BertForPreTraining(transformers.BertConfig(**TEXT, pad_token_id=0, type_vocab_size=2)), 4)
    model.config.save_pretrained(path)
    old = {k.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): v
           for k, v in model.state_dict().items()}
    torch.save(old, path / "pytorch_model.bin", _use_new_zipfile_serialization=False)
    text_expected(path, model.bert)

    # WavLMModel with layer norms; weight norm as parametrizations.
    path = folder("wavlm-layer")
    layered = randomise(transformers.WavLMModel(transformers.WavLMConfig(**SPEECH, **LAYER, num_buckets=32, max_bucket_distance=80)), 5)
    layered.save_pretrained(path)
    assert any("parametrizations" in key for key in layered.state_dict())
    speech_expected(path, layered, True)

    # The same weights as WavLM's own checkpoints have them.
    path = folder("wavlm-original")
    torch.save({"cfg": original_settings(layered.config), "model": original_names(layered.state_dict())}, path / "WavLM-Tiny.pt")

    # WavLMForCTC with group norm, torch zip, weight norm as weight_g and weight_v.
    path = folder("wavlm-group-ctc")
    model = randomise(transformers.WavLMForCTC(transformers.WavLMConfig(**SPEECH)), 6)
    model.config.save_pretrained(path)
    torch.save(weight_gv(model.state_dict()), path / "pytorch_model.bin")
    speech_expected(path, model.wavlm, False)

    # Wav2Vec2ForPreTraining with its quantiser, group norm and layer norm.
    path = folder("wav2vec2-group-pretraining")
    model = randomise(transformers.Wav2Vec2ForPreTraining(transformers.Wav2Vec2Config(**SPEECH)), 7)
    model.save_pretrained(path)
    speech_expected(path, model.wav2vec2, True)
    path = folder("wav2vec2-layer")
    model = randomise(transformers.Wav2Vec2Model(transformers.Wav2Vec2Config(**SPEECH, **LAYER, conv_bias=True)), 8)
    model.save_pretrained(path)
    speech_expected(path, model, True)

    path = folder("hubert-group")
    model = randomise(transformers.HubertModel(transformers.HubertConfig(**SPEECH, feat_proj_layer_norm=False)), 9)
    model.save_pretrained(path)
    speech_expected(path, model, False)
    path = folder("hubert-layer")
    model = randomise(transformers.HubertModel(transformers.HubertConfig(**SPEECH, **LAYER, conv_bias=True)), 10)
    model.save_pretrained(path)
    speech_expected(path, model, True)

    alexnet()
    refused()
    for config in HERE.glob("*/config.json"):
        settings = json.loads(config.read_text())
        settings.pop("transformers_version", None)
        config.write_text(json.dumps(settings, indent=1, sort_keys=True) + "\n")


def weight_gv(state):
    return {k.replace("parametrizations.weight.original0", "weight_g").replace("parametrizations.weight.original1", "weight_v"): v
            for k, v in state.items()}


def original_names(state):
    """Hugging Face's names -> those of microsoft/unilm's WavLM."""
    table = [
        ("masked_spec_embed", "mask_emb"), ("feature_projection.layer_norm", "layer_norm"),
        ("feature_projection.projection", "post_extract_proj"), ("encoder.pos_conv_embed.conv", "encoder.pos_conv.0"),
        (".attention.rel_attn_embed", ".self_attn.relative_attention_bias"),
        (".attention.gru_rel_pos_linear", ".self_attn.grep_linear"), (".attention.gru_rel_pos_const", ".self_attn.grep_a"),
        (".attention.", ".self_attn."), (".feed_forward.intermediate_dense", ".fc1"), (".feed_forward.output_dense", ".fc2"),
    ]
    out = {}
    for key, value in weight_gv(state).items():
        for ours, theirs in table:
            key = key.replace(ours, theirs)
        parts = key.split(".")
        if key.startswith("encoder.layers.") and parts[3] == "layer_norm":
            parts[3] = "self_attn_layer_norm"
        if key.startswith("feature_extractor"):
            parts[3:4] = ["0"] if parts[3] == "conv" else ["2", "1"]
        out[".".join(parts)] = value
    return out


def original_settings(config):
    return {
        "extractor_mode": "layer_norm", "encoder_layers": config.num_hidden_layers, "encoder_embed_dim": config.hidden_size,
        "encoder_ffn_embed_dim": config.intermediate_size, "encoder_attention_heads": config.num_attention_heads,
        "activation_fn": "gelu", "layer_norm_first": True, "conv_feature_layers": "[(8,10,5)] + [(8,3,2)] * 4 + [(8,2,2)] * 2",
        "conv_bias": False, "feature_grad_mult": 1.0, "normalize": True, "dropout": 0.0, "conv_pos": config.num_conv_pos_embeddings,
        "conv_pos_groups": config.num_conv_pos_embedding_groups, "relative_position_embedding": True,
        "num_buckets": config.num_buckets, "max_distance": config.max_bucket_distance, "gru_rel_pos": True,
    }


@torch.no_grad()
def alexnet():
    """torchvision's AlexNet with its classifier, at few channels, as its state dict is saved."""
    path = folder("alexnet")
    c = [4, 6, 8, 6, 5]
    generator = torch.Generator().manual_seed(11)
    features = nn.Sequential(
        nn.Conv2d(3, c[0], 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Conv2d(c[0], c[1], 5, padding=2), nn.ReLU(),
        nn.MaxPool2d(3, 2), nn.Conv2d(c[1], c[2], 3, padding=1), nn.ReLU(), nn.Conv2d(c[2], c[3], 3, padding=1), nn.ReLU(),
        nn.Conv2d(c[3], c[4], 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2),
    )
    classifier = nn.Sequential(nn.Dropout(), nn.Linear(c[4] * 36, 7), nn.ReLU(), nn.Dropout(), nn.Linear(7, 7), nn.ReLU(), nn.Linear(7, 3))
    model = nn.ModuleDict({"features": features, "classifier": classifier})
    for parameter in model.parameters():
        parameter.copy_(0.2 * torch.randn(parameter.shape, generator=generator))
    torch.save(model.state_dict(), path / "alexnet-tiny.pth")
    picture = tensor(5, "picture.94", [256, 94])
    normed = (picture[None, None] - torch.tensor([0.485, 0.456, 0.406])[:, None, None]) / torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    steps = features(normed)[0].permute(2, 0, 1).flatten(1)
    save_file({"94": steps.contiguous()}, path / "expected.safetensors")


class Command:
    def __reduce__(self):
        return (__import__("os").system, ("touch /tmp/lsgmer-was-here",))


def refused():
    """Files that a restricted reader must turn down."""
    path = folder("refused")
    torch.save({"a": torch.zeros(2), "b": Command()}, path / "command.pt")
    torch.save({"a": torch.zeros(2), "b": Command()}, path / "command-legacy.pt", _use_new_zipfile_serialization=False)
    torch.save({"args": argparse.Namespace(lr=1), "model": {"a": torch.zeros(2)}}, path / "namespace.pt")
    torch.save({"epoch": 3, "a": torch.zeros(2)}, path / "epoch.pt")
    torch.save({"a": torch.zeros(2, dtype=torch.int64), "view": torch.arange(12.0).reshape(3, 4).T[1:, ::2], "half": torch.arange(4).half() / 3},
               path / "views.pt")
    torch.jit.save(torch.jit.script(nn.Linear(1, 1)), path / "script.pt")


if __name__ == "__main__":
    with torch.inference_mode(False):
        main()
