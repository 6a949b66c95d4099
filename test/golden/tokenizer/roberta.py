"""Token ids and offsets of Hugging Face's own tokenizers, for packages/extract/test/tokenizer.

    python roberta.py <folder with roberta-base's tokenizer.json>

Writes roberta.json: for each text the ids with special tokens and the offsets in code points; and bpe.json: the
merges that Hugging Face's trainer finds in a small corpus.
"""

import json
import random
import sys
from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

HERE = Path(__file__).parent
MAX_TOKENS = 512

WORDS = (
    "I you he we don't can't won't they're I've I'll what why how happy sad angry fine okay oh god really never "
    "always because nothing everything Mr. Dr. 3 42 1999 10,000 $5 50% a.m. wow!!! hmm... no-one rock'n'roll "
    "supercalifragilistic Anthropocene naïve café résumé Ørsted Gödel São Łódź şu İstanbul straße"
).split()

FIXED = [
    "",
    " ",
    "   ",
    "\n",
    "a",
    " a",
    "a ",
    "  a  b  ",
    "Test sentence with <mask>.",
    "<mask>",
    "  <mask>  <mask>x<mask>",
    "\t<mask>",
    "a \n <mask>\n",
    "<s>inner</s>",
    "<pad><unk>",
    "< mask >",
    "Hello, world!",
    "I don't know what you're talking about.",
    "He\u2019s \u201cfine\u201d \u2014 isn\u2019t he\u2026",
    "non\u00a0breaking\u00a0space",
    "\u00a0\u00a0lead",
    "zero\u200bwidth\u200djoin",
    "\ufeffbyte order mark \ufeff x",
    "next\u0085line \u0085 x",
    "ideographic\u3000space",
    "\u2028line\u2029paragraph",
    "tabs\tand\nnew\r\nlines",
    "\U0001f600",
    "\U0001f600\U0001f600 laughing \U0001f923!",
    "family \U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 flag \U0001f1f5\U0001f1f1 skin \U0001f44d\U0001f3fd",
    "\u4f60\u597d\uff0c\u4e16\u754c\u3002",
    "\u3053\u3093\u306b\u3061\u306f \u4e16\u754c",
    "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440!",
    "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645",
    "\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e",
    "Nie wa\u015b\u0144my si\u0119 ze sob\u0105.",
    "e\u0301 combining \u00e9 composed",
    "\u01c5 \u2167 \u00b2 \u00bd \u0661\u0662\u0663",
    "[LAUGHTER] okay [BREATHING]",
    "http://example.org/a?b=c&d=e#f",
    "snake_case CamelCase kebab-case",
    "\U00010348 \U0001d4d7\U0001d4ee\U0001d4f5\U0001d4f5\U0001d4f8",
    "x" * 40,
    "ha" * 300,
    "!" * 70,
    "word " * 600,
    "\U0001f923" * 400,
    "''s 't 'Re 'LL d'd",
    "\u00ad soft\u00adhyphen",
    "control \u0001\u007f x",
]


def texts():
    rng = random.Random(7)
    out = list(FIXED)
    joins = [" ", " ", " ", " ", "  ", ", ", ". ", "\u00a0", " \u2014 ", " <mask> ", "\n", " \U0001f642 ", "? "]
    while len(out) < 500:
        text = ""
        for _ in range(rng.randint(1, 14)):
            word = rng.choice(WORDS)
            if rng.random() < 0.1:
                word = word.upper()
            if rng.random() < 0.1:
                word = word.replace("'", "\u2019")
            text += word + rng.choice(joins)
        out.append(text if rng.random() < 0.5 else text.strip())
    return out


def encodings(folder):
    tokenizer = Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    rows = []
    for text in texts():
        encoding = tokenizer.encode(text)
        rows.append({"text": text, "ids": encoding.ids, "offsets": [list(pair) for pair in encoding.offsets]})
    return rows


def training():
    rng = random.Random(11)
    syllables = ["ba", "ne", "to", "lli", "shu", "aa", "aaa", "qu\u00e9", "\u0142o", "x", "9", "'t", "!", "mm"]
    corpus = [
        " ".join("".join(rng.choice(syllables) for _ in range(rng.randint(1, 4))) for _ in range(rng.randint(1, 9)))
        for _ in range(120)
    ]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=4 + 256 + 300,
        min_frequency=2,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return {"corpus": corpus, "merges": [" ".join(pair) for pair in model["merges"]]}


def write(name, value):
    (HERE / name).write_text(json.dumps(value, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write("roberta.json", encodings(sys.argv[1]))
    write("bpe.json", training())
