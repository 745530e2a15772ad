//! Any rate to 8 kHz, with a filter that keeps what a telephone cannot carry from folding into what it can.

use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Resampler};

/// Samples at 8 kHz; the same samples if they are already. `None` if the resampler refuses the rate, which it does for 0.
pub(crate) fn to_8khz(samples: Vec<f32>, rate: u32) -> Option<Vec<f32>> {
    if rate == RATE {
        return Some(samples);
    }
    let (from, to) = (usize::try_from(rate).ok()?, usize::try_from(RATE).ok()?);
    let mut resampler = Fft::<f32>::new(from, to, CHUNK, 1, FixedSync::Both).ok()?;
    let input = SequentialSlice::new(&samples, 1, samples.len()).ok()?;
    let output = resampler.process_all(&input, samples.len(), None).ok()?;
    Some(output.take_data())
}

/// The rate of the telephone, in samples a second.
pub(crate) const RATE: u32 = 8_000;

/// Input frames of one transform. The filter is as long as this, and so its slope at 4 kHz as steep: at 44.1 kHz 190 ms
/// of sound leave a slope of some tens of hertz.
const CHUNK: usize = 8_192;
