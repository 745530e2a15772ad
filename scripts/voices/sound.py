"""From samples to telephone clips: trim, level, 8 kHz, A-law, WAV; and the tones that are calculated."""

import struct

import numpy as np
import scipy.signal
import soxr

RATE = 8_000

# Silence is what stays this far below the clip's loudest 5 ms; weak consonants (s, q) are above it.
SILENCE_DB = -42.0
LEAD_SECS = 0.020
TAIL_SECS = 0.045
FADE_SECS = 0.005

# -18 dBov of speech is loud enough beside a human talker and leaves room for the peaks.
LOUDNESS_DBOV = -18.0
PEAK_DBFS = -3.0

# The Chinese network's tones are 450 Hz.
TONE_HZ = 450.0
TONE_DBFS = -10.0


def telephone(samples: np.ndarray, rate: int) -> np.ndarray:
    """Trimmed, levelled speech at 8 kHz."""
    samples = scipy.signal.sosfilt(scipy.signal.butter(2, 80.0, "highpass", fs=rate, output="sos"), samples)
    samples = faded(trimmed(samples, rate), rate)
    return levelled(soxr.resample(samples, rate, RATE, quality="VHQ"))


def trimmed(samples: np.ndarray, rate: int) -> np.ndarray:
    block = rate // 200
    energy = np.array([np.mean(samples[at : at + block] ** 2) for at in range(0, len(samples), block)])
    loud = np.flatnonzero(energy > energy.max() * 10 ** (SILENCE_DB / 10))
    first = max(0, loud[0] * block - int(LEAD_SECS * rate))
    last = (loud[-1] + 1) * block + int(TAIL_SECS * rate)
    return samples[first:last]


def faded(samples: np.ndarray, rate: int) -> np.ndarray:
    ramp = np.linspace(0.0, 1.0, int(FADE_SECS * rate))
    samples = samples.copy()
    samples[: len(ramp)] *= ramp
    samples[-len(ramp) :] *= ramp[::-1]
    return samples


def levelled(samples: np.ndarray) -> np.ndarray:
    """Equal loudness of the spoken part; peaks are rounded off rather than cut."""
    peak = 10 ** (PEAK_DBFS / 20)
    for _ in range(8):
        samples = rounded(samples * 10 ** ((LOUDNESS_DBOV - loudness(samples)) / 20), peak)
    return samples


def loudness(samples: np.ndarray) -> float:
    """dBov of the blocks that carry speech, so that pauses do not make a sentence louder than a digit."""
    block = RATE // 50
    energy = np.array([np.mean(samples[at : at + block] ** 2) for at in range(0, len(samples), block)])
    spoken = energy[energy > energy.max() * 10 ** (-25 / 10)]
    return 10 * np.log10(spoken.mean())


def rounded(samples: np.ndarray, peak: float) -> np.ndarray:
    knee = peak * 0.7
    size = np.abs(samples)
    soft = knee + (peak - knee) * np.tanh((size - knee) / (peak - knee))
    return np.where(size > knee, np.sign(samples) * soft, samples)


def tone(*parts: tuple[float, float]) -> np.ndarray:
    """Parts of (Hz, seconds) one after the other; 0 Hz is silence."""
    return np.concatenate([beep(hertz, secs) for hertz, secs in parts])


def beep(hertz: float, secs: float) -> np.ndarray:
    time = np.arange(round(secs * RATE)) / RATE
    samples = 10 ** (TONE_DBFS / 20) * np.sin(2 * np.pi * hertz * time)
    return faded(samples, RATE) if hertz else samples


def alaw(samples: np.ndarray) -> bytes:
    """ITU-T G.711 A-law of samples between -1 and 1."""
    linear = np.clip(np.round(samples * 32768), -32768, 32767).astype(np.int64) >> 3
    positive = linear >= 0
    size = np.where(positive, linear, -linear - 1)
    segment = np.maximum(np.floor(np.log2(np.maximum(size, 1))).astype(np.int64) - 4, 0)
    step = np.where(segment < 2, size >> 1, size >> np.maximum(segment, 1)) & 0x0F
    return ((segment << 4 | step) ^ np.where(positive, 0xD5, 0x55)).astype(np.uint8).tobytes()


def wav(payload: bytes) -> bytes:
    """A-law in a WAV file: header of 58 bytes with format tag 6 and a fact chunk."""
    pad = b"\xd5" * (len(payload) % 2)
    fmt = struct.pack("<4sIHHIIHHH", b"fmt ", 18, 6, 1, RATE, RATE, 1, 8, 0)
    fact = struct.pack("<4sII", b"fact", 4, len(payload))
    data = struct.pack("<4sI", b"data", len(payload)) + payload + pad
    body = b"WAVE" + fmt + fact + data
    return struct.pack("<4sI", b"RIFF", len(body)) + body
