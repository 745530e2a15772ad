//! Speech is not taken for keys: the clips that ship, loud and quiet, as somebody's telephone might send them back.

use std::fs;
use std::net::SocketAddr;

use base::time::{Instant, Timestamp};
use huihu_media::FRAME_SAMPLES;
use huihu_media::codec::Codec;
use huihu_media::g711::Law;
use huihu_media::rtp::{HEADER_BYTES, Header};
use huihu_media::session::{Description, Hears, Incoming, Params, Session};
use huihu_media::source::Policy;

/// A-law WAV files of ours: the samples come last.
const WAV_HEADER_BYTES: usize = 58;

fn address() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 4_000))
}

fn listener() -> Session {
    let description = Description {
        remote: Some(address()),
        remote_rtcp: None,
        codec: Codec::PCMA,
        hears: Hears::Both,
        events: None,
    };
    let params = Params {
        ssrc: 1,
        seq: 1,
        timestamp: 1,
        policy: Policy::Strict,
        description,
        wall: Timestamp::from_millis(0),
        seed: 1,
    };
    let mut session = Session::new(params, Instant::START);
    session.listen_for_tones();
    session
}

/// All clips in a row, and how many they are.
fn speech() -> (Vec<u8>, usize) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../speech/clips/zh");
    let entries = fs::read_dir(folder).expect("the clips are there");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a file can be listed").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "wav"));
    paths.sort();
    let clips = paths.iter().map(|path| fs::read(path).expect("a clip can be read"));
    (clips.flat_map(|clip| clip[WAV_HEADER_BYTES..].to_vec()).collect(), paths.len())
}

#[test]
fn no_clip_that_ships_has_a_key_in_it_however_loud_it_is() {
    let (speech, clips) = speech();
    assert!(clips > 20 && speech.len() > 30 * 8_000, "{clips} clips are not all");
    for gain in [0.05, 0.3, 1.0, 3.0] {
        let mut session = listener();
        let samples: Vec<u8> = speech
            .iter()
            .map(|byte| Law::Pcma.encode((f64::from(Law::Pcma.decode(*byte)) * gain) as i16))
            .collect();
        for (nth, frame) in samples.chunks(FRAME_SAMPLES).enumerate() {
            let (seq, timestamp) = (nth as u16, nth as u32 * FRAME_SAMPLES as u32);
            let mut bytes = vec![0; HEADER_BYTES];
            let header = Header { marker: false, payload_type: 8, seq, timestamp, ssrc: 9 };
            header.write(bytes.first_chunk_mut().expect("there is room"));
            bytes.extend_from_slice(frame);
            let Incoming::Audio(_, pressed) = session.receive(address(), &bytes, Instant::START) else {
                panic!("frame {nth} was not heard")
            };
            assert_eq!(pressed, None, "{} ms into the clips at {gain}", nth * 20);
        }
    }
}
