"""Writes attention.safetensors: the attention weights that the PyTorch twin computes on the way, in float64.

    python test/golden/head/attention.py

Weights and batch are those of write.py. `<case>/attention.<modality>` [B, N, L]: labels over steps, mean over heads;
`<case>/cross.<modality>` [B, L]: what each step receives from the other modality, mean over heads and the real steps
that ask; `<case>/gate` [B, 2] (audio, text); `<case>/fused` [B, d].
"""

from pathlib import Path

import torch
from safetensors.numpy import save_file

import twin
from write import CASES, make_batch, make_model

HERE = Path(__file__).parent
CHOSEN = [
    "default", "cross.residual=add-norm", "label.query=frames", "label.tables=per-modality", "label.reduce=per-label",
    "label.reduce=concat", "gate=vector", "heads=8", "modality=text", "modality=audio", "d=24, heads=2",
    "d=24, heads=2, add-norm", "no-lsma-joo", "text, frames, linear",
]  # fmt: skip

seen: list[torch.Tensor] = []


def attention(q, k, v, attn_mask=None):
    """scaled_dot_product_attention as it is written, remembering the weights [B, H, Lq, Lk]."""
    scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, float("-inf"))
    weights = scores.softmax(-1)
    seen.append(weights.detach())
    return weights @ v


def gates(model: twin.Lsgmer, inputs: list[torch.Tensor]) -> torch.Tensor:
    if model.options.gate == "equal":
        return torch.full((len(inputs[0]), 2), 0.5)
    scores = model.gate(torch.cat(inputs, -1)).unflatten(-1, (2, -1))
    return scores.softmax(1).mean(-1)


def main() -> None:
    tensors = {}
    batch = make_batch()
    real = {"text": twin.valid(batch.text_lengths, batch.text.shape[1]), "audio": twin.valid(batch.audio_lengths, batch.audio.shape[1])}
    plain = torch.nn.functional.scaled_dot_product_attention
    for case in CHOSEN:
        model = make_model(CASES[case])
        expected, _ = model(batch)
        captured: list[list[torch.Tensor]] = []
        if hasattr(model, "gate"):
            fuse = model.fuse
            model.fuse = lambda *h, fuse=fuse: (captured.append(list(h)), fuse(*h))[1]
        seen.clear()
        torch.nn.functional.scaled_dot_product_attention = attention
        logits, fused = model(batch)
        torch.nn.functional.scaled_dot_product_attention = plain
        assert torch.allclose(logits, expected, atol=1e-12, rtol=0), case

        out = {"fused": fused}
        weights = iter(seen)
        for name in model.names:
            other = "text" if name == "audio" else "audio"
            if len(model.names) == 2:
                asks = real[name].double()
                share = asks / asks.sum(1, keepdim=True)
                out[f"cross.{other}"] = torch.einsum("bq,bqk->bk", share, next(weights).mean(1))
            if model.options.label_attention:
                label = next(weights).mean(1)
                if model.options.query == "frames":
                    label = label.transpose(1, 2)
                out[f"attention.{name}"] = label.masked_fill(~real[name].unsqueeze(1), 0)
        assert next(weights, None) is None, case
        if captured:
            out["gate"] = gates(model, captured[0])
        tensors |= {f"{case}/{key}": value.detach().float().contiguous().numpy() for key, value in out.items()}
    save_file(tensors, HERE / "attention.safetensors")
    (HERE / "attention.safetensors").chmod(0o644)


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
