"""Hugging Face's RobertaModel on seeded random weights: writes roberta.json."""

import torch
from transformers import RobertaConfig, RobertaModel

from seeded import digits, fill, write

CONFIG = dict(
    model_type="roberta", vocab_size=60, hidden_size=16, num_hidden_layers=3, num_attention_heads=4,
    intermediate_size=24, max_position_embeddings=40, type_vocab_size=1, pad_token_id=1, layer_norm_eps=1e-5,
    hidden_act="gelu",
)
SEED = 3
model = fill(RobertaModel(RobertaConfig(**CONFIG, attn_implementation="eager"), add_pooling_layer=False), SEED)


def run(rows):
    longest = max(len(row) for row in rows)
    ids = torch.tensor([row + [1] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
    return {"ids": rows, "hidden": [digits(hidden[i, : len(row)]) for i, row in enumerate(rows)]}


write("roberta.json", {
    "config": CONFIG,
    "seed": SEED,
    "batches": [
        run([[0, 2]]),
        run([[0, 17, 42, 5, 2]]),
        run([[0] + [(7 * i + 4) % 59 for i in range(36)] + [2]]),
        run([[0, 9, 2], [0, 30, 31, 32, 33, 2], [0, 59, 4, 2], [0, 1, 8, 2]]),
    ],
})
