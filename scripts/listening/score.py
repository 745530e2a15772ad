"""Says how good speech still sounds: a line with the PESQ score (ITU-T P.862, narrow band, MOS-LQO) for each pair of
WAV files, said and heard, of 16-bit samples at 8 kHz."""

import sys
import wave

import numpy
from pesq import pesq


def samples(path):
    with wave.open(path) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2), path
        return numpy.frombuffer(file.readframes(file.getnframes()), numpy.int16)


for said, heard in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
    print(f"{pesq(8000, samples(said), samples(heard), 'nb'):.3f}")
