"""Token ids and offsets of Hugging Face's tokenizers for the kinds beside byte-level BPE: BERT's WordPiece and XLM-R's
SentencePiece unigram, trained here on a small corpus so that the files stay small.

    python families.py        (needs sentencepiece for XLM-R's table of characters)

Writes wordpiece.json, wordpiece-cased.json and unigram.json: the tokenizer.json, and for 500 texts ids and offsets.
"""

import io
import json
import random
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from roberta import FIXED, WORDS

HERE = Path(__file__).parent
MAX_TOKENS = 512
EXTRA = [
    "\u2018single\u2019 \u201cdouble\u201d",
    "a <mask> b",
    "a [MASK] b [SEP]",
    "\uff21\uff22\uff23 full width \uff01\uff1f",
    "\ufb01ne \ufb02ow \u2026 \u2122 \u00bd \u2460 \u33a1",
    "\u0130stanbul \u00df \u1e9e \u03a3\u0391\u03a3 \u0fb3",
    "e\u0301a\u0308 n\u0303 \u1100\u1161\u11a8 \uac01",
    "\uff76\uff9e \uff5e wave \u30fd",
    "a\u200bb\u200dc\u2060d\ufe0f",
    "tab\tnew\nline\rfeed\x0cform\x0bvert",
    "\x00null \x1f unit \x7f delete \x85 next",
    "\ue000 private \ufffd replacement",
    "\u2581 low line \u2581\u2581 x",
    "\u4e00\u4e8cx\u4e09 \u3042\u3044",
    "supercalifragilisticexpialidocious" * 5,
    "x" * 101,
    "\U0001f468\u200d\U0001f469 \U0001f9d1\U0001f3fd\u200d\U0001f680",
    "\u0645\u064f\u062d\u064e\u0645\u064e\u0651\u062f \u0939\u093f\u0928\u094d\u0926\u0940",
    "   leading and trailing   ",
    "word\u00a0nbsp\u202fnarrow\u3000wide",
]


def texts():
    rng = random.Random(13)
    out = [*FIXED, *EXTRA]
    joins = [" ", " ", " ", "  ", ", ", ". ", "\u00a0", " \u2014 ", "\n", " \U0001f642 ", "? ", "\u2019s ", "..."]
    while len(out) < 500:
        text = "".join(rng.choice(WORDS).swapcase() + rng.choice(joins) if rng.random() < 0.1 else rng.choice(WORDS) + rng.choice(joins)
                       for _ in range(rng.randint(1, 14)))
        out.append(text if rng.random() < 0.5 else text.strip())
    return out


CORPUS = [text for text in texts() if len(text) < 400]


def wordpiece(lower):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=lower)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(CORPUS, trainers.WordPieceTrainer(vocab_size=400, special_tokens=special, show_progress=False, limit_alphabet=90))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def unigram():
    """As transformers converts XLM-R's sentencepiece model."""
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS), model_writer=model, vocab_size=400, model_type="unigram", character_coverage=0.98,
        normalization_rule_name="nmt_nfkc", minloglevel=2, hard_vocab_limit=False)
    from sentencepiece import sentencepiece_model_pb2
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model.getvalue())
    vocab = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    vocab += [(piece.piece, piece.score) for piece in proto.pieces[3:]] + [("<mask>", 0.0)]
    tokenizer = Tokenizer(models.Unigram(vocab, unk_id=3, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    from tokenizers import AddedToken
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", AddedToken("<mask>", lstrip=True)])
    return tokenizer


def encoded(tokenizer):
    tokenizer.enable_truncation(MAX_TOKENS)
    rows = []
    for text in texts():
        encoding = tokenizer.encode(text)
        rows.append([text, encoding.ids, [x for pair in encoding.offsets for x in pair]])
    tokenizer.no_truncation()
    return rows


def write(name, tokenizer):
    value = {"tokenizer": json.loads(tokenizer.to_str()), "rows": encoded(tokenizer)}
    if name == "unigram.json":
        # As in XLM-R's own tokenizer.json.
        tokenizer.normalizer = tokenizer.normalizer[0]
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
            pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="always")])
        value["split"] = {"pre_tokenizer": json.loads(tokenizer.to_str())["pre_tokenizer"], "rows": encoded(tokenizer)}
    (HERE / name).write_text(json.dumps(value, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write("wordpiece.json", wordpiece(True))
    write("wordpiece-cased.json", wordpiece(False))
    write("unigram.json", unigram())
