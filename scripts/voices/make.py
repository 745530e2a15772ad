"""Makes the clips that ship with the project; started by make.sh, which installs what this needs.

Writes one A-law WAV of 8 kHz for each digit and phrase in phrases.py and for each calculated tone, and says what it wrote. The
same packages on the same kind of processor give the same bytes; another processor may differ in the last bit.
"""

import argparse
from pathlib import Path

import sound
from phrases import CARRIER, DIGITS, PHRASES, WOMAN
from voice import RATE, Speaker

TONES = {
    # One period of the Chinese ring-back tone (1 s on, 4 s off), so that it can be looped.
    "ringback": sound.tone((sound.TONE_HZ, 1.0), (0.0, 4.0)),
    "busy-tone": sound.tone((sound.TONE_HZ, 0.35), (0.0, 0.35)),
    # "This call is recorded": two beeps, higher than any network tone.
    "hint-tone": sound.tone((1400.0, 0.2), (0.0, 0.2), (1400.0, 0.2)),
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--cache", type=Path, required=True, help="where make.sh put model and voices")
    arguments.add_argument("--out", type=Path, required=True, help="folder for the clips")
    arguments.add_argument("names", nargs="*", help="only these clips, without .wav")
    options = arguments.parse_args()

    known = [spoken.name for spoken in DIGITS + PHRASES] + list(TONES)
    unknown = sorted(set(options.names) - set(known))
    if unknown:
        raise SystemExit(f"no such clip: {', '.join(unknown)}; there are {', '.join(known)}")
    wanted = options.names or known
    options.out.mkdir(parents=True, exist_ok=True)

    speaker = Speaker(options.cache)
    before, after = CARRIER
    for digit in DIGITS:
        if digit.name in wanted:
            spoken = speaker.cut(before, digit.pinyin, after, WOMAN, digit.millis / 1000)
            write(options.out, digit.name, sound.telephone(spoken, RATE), digit.text)
    for phrase in PHRASES:
        if phrase.name in wanted:
            spoken = speaker.speak(phrase.pinyin, phrase.voice, phrase.speed)
            write(options.out, phrase.name, sound.telephone(spoken, RATE), phrase.text)
    for name, samples in TONES.items():
        if name in wanted:
            write(options.out, name, samples, "calculated")


def write(folder: Path, name: str, samples, what: str) -> None:
    (folder / f"{name}.wav").write_bytes(sound.wav(sound.alaw(samples)))
    secs, peak = len(samples) / sound.RATE, abs(samples).max()
    print(f"{name:26} {secs:5.2f} s  {sound.loudness(samples):6.1f} dBov  peak {peak:4.2f}  {what}")


if __name__ == "__main__":
    main()
