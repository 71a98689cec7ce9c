"""Writes wordpiece.json: what Hugging Face's `tokenizers` makes of texts, with a small vocabulary of our own.

`pip install tokenizers==0.23.3; python3 wordpiece.py > wordpiece.json`. For each way of normalizing: a `tokenizer.json` and
texts with the numbers, bytes and words of their pieces."""
import json

from tokenizers import Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import WordPiece

PIECES = (
    "[PAD] [UNK] [CLS] [SEP] Marta Mart marta Kowal ##ska ##sk ##a ##b ##c a b c é É e ##é ##e ##s es Stra ##ße stra ##sse ##ss "
    "ß i ##i ##̇ İ i̇ - ' . , ! ? ( ) @ # $ & _ « » — … 東 京 北 都 Müller Muller muller müller ##ü ##u ##ller M m ##l "
    "un ##aff ##able ##able 12 ##3 ##34 1 2 3 ## ##- ffi ﬁ f ##f ##i Å å A ##å fi ##ﬁ ก ##ำ ##า ํ π σ ##ς ##σ ς Σ "
    "नम ##स् ##ते न ##म 한 ##국 국 ᄒ ##ᅡ ##ᆫ ｆ １ ² ½ 😀 ##😀 👩 豈 更 x"
).split()
TEXTS = [
    "Marta Kowalska", "  Marta\tKowalska\n", "marta, Marta! (Marta)", "unaffable un##affable", "Müller müller MÜLLER Mu\u0308ller",
    "a\u200bb a\u00adb a\u0000b a\ufffdb", "caf\u00e9 cafe\u0301 \u00c9 E\u0301 es", "Straße STRASSE strasse", "\u0130i \u0130",
    "東京都北東 Marta東京", "\uf900 \u66f4 豈更", "1234 12 123 ½ ² １", "a-b a'b a_b a@b.c", "«Marta» — … $5 & #a", "x" * 100 + " " + "a" * 101 + " " + "a" + "b" * 99,
    "😀 a😀 👩\u200d🚀", "नमस्ते नम", "กำ กา", "한국 한국".replace("한국", "한국"), "Σσς ΣΣ", "ﬁ ffi fi Å A\u030a å", "\u3000a\u00a0b\u2003c\u2028a\u0085b",
    "a\x07b\x7fc", "\ue000a b\ue001", "[CLS] [SEP] Marta", "", " ", "\u0301a", "a\u0301\u0302b", "a\u2019b c\u2013d e\u30fbs",
]
WAYS = [
    dict(clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=False),
    dict(clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True),
    dict(clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False),
    dict(clean_text=True, handle_chinese_chars=True, strip_accents=False, lowercase=True),
]

out = []
for way in WAYS:
    vocabulary = {}
    for piece in PIECES:
        vocabulary.setdefault(piece, len(vocabulary))
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(**way)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    cases = []
    for text in TEXTS:
        encoding = tokenizer.encode(text, add_special_tokens=False)
        pieces = []
        for i, (start, end), word in zip(encoding.ids, encoding.offsets, encoding.word_ids):
            pieces.append([i, len(text[:start].encode()), len(text[:end].encode()), word])
        cases.append({"text": text, "pieces": pieces})
    out.append({"tokenizer": json.loads(tokenizer.to_str()), "cases": cases})
print("[\n" + ",\n".join(json.dumps(o, ensure_ascii=True) for o in out) + "\n]")
