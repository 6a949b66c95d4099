"""Ids and offsets of transformers' fast tokenizers made of vocabularies alone (vocab.txt; vocab.json and merges.txt), with
the settings that tokenizer_config.json may hold.

    python vocabularies.py

Takes the vocabularies of wordpiece.json, wordpiece-cased.json and bpe.json; writes vocabularies.json: for each case the files of the
folder beside the vocabulary, and for the 500 texts of wordpiece.json the digest of ids and offsets (8 digits of the sha256 of their JSON).
"""

import hashlib
import json
import tempfile
from pathlib import Path

from tokenizers import pre_tokenizers
from transformers import AddedToken, AutoTokenizer

from families import texts

HERE = Path(__file__).parent
MAX_TOKENS = 512


def wordpiece(name):
    vocab = json.loads((HERE / name).read_text(encoding="utf-8"))["tokenizer"]["model"]["vocab"]
    return {"vocab.txt": "\n".join(sorted(vocab, key=vocab.get)) + "\n"}


def byte_level():
    merges = json.loads((HERE / "bpe.json").read_text(encoding="utf-8"))["merges"]
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *sorted(pre_tokenizers.ByteLevel.alphabet()), *("".join(m.split(" ")) for m in merges), "<mask>"]
    vocab = {token: i for i, token in enumerate(dict.fromkeys(tokens))}
    return {"vocab.json": json.dumps(vocab), "merges.txt": "\n".join(["#version: 0.2", *merges, ""])}


def case(kind, vocabulary, beside, **options):
    with tempfile.TemporaryDirectory() as folder:
        files = {**vocabulary, "config.json": {"model_type": kind}, **beside}
        for name, content in files.items():
            text = content if isinstance(content, str) else json.dumps(content)
            (Path(folder) / name).write_text(text, encoding="utf-8")
        tokenizer = AutoTokenizer.from_pretrained(folder, **options)
    assert tokenizer.is_fast
    rows = []
    for text in texts():
        found = tokenizer(text, truncation=True, max_length=MAX_TOKENS, return_offsets_mapping=True)
        units = [0]
        for character in text:
            units.append(units[-1] + (2 if ord(character) > 0xFFFF else 1))
        value = [found["input_ids"], [units[x] for pair in found["offset_mapping"] for x in pair]]
        rows.append(hashlib.sha256(json.dumps(value, separators=(",", ":")).encode()).hexdigest()[:8])
    return {"type": kind, "beside": beside, "rows": rows}


uncased, cased, roberta = wordpiece("wordpiece.json"), wordpiece("wordpiece-cased.json"), byte_level()
size = len(cased["vocab.txt"].splitlines())
rule = {"lstrip": False, "single_word": False, "normalized": False, "special": False}
# The second one is in the vocabulary already: that id is the one it gets.
added = {str(size): {**rule, "content": "50%", "rstrip": True}, str(size + 1): {**rule, "content": "Mr", "rstrip": False}}
ids = len(json.loads(roberta["vocab.json"]))
# RoBERTa's own tokenizer.json lets the mask take the blank before it; a bare folder does not say so to transformers 5.
mask = AddedToken("<mask>", lstrip=True, normalized=False)
cases = {
    "uncased, no settings": case("bert", uncased, {}),
    "uncased": case("bert", uncased, {"tokenizer_config.json": {"do_lower_case": True, "tokenizer_class": "BertTokenizer"}}),
    "accents kept": case("bert", uncased, {"tokenizer_config.json": {"do_lower_case": True, "strip_accents": False}}),
    "chinese characters in words": case("bert", uncased, {"tokenizer_config.json": {"tokenize_chinese_chars": False}}),
    "cased": case("bert", cased, {"tokenizer_config.json": {"do_lower_case": False}}),
    "cased, without accents": case("bert", cased, {"tokenizer_config.json": {"do_lower_case": False, "strip_accents": True}}),
    "cased, with added tokens": case("bert", cased, {"tokenizer_config.json": {"do_lower_case": False, "added_tokens_decoder": added}}),
    "roberta": case("roberta", roberta, {}, mask_token=mask),
    "roberta, with added tokens": case("roberta", roberta, {"added_tokens.json": {"wow!!!": ids, "Mr.": ids + 1}}, mask_token=mask),
}
(HERE / "vocabularies.json").write_text(json.dumps(cases, separators=(",", ":")) + "\n", encoding="utf-8")
