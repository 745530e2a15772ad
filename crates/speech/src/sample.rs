//! Voices that are not the platform's own: what the demo app uploads and what the simulated network and phones say.

use crate::shipped::payload;

/// A clip for the demo and the simulated carrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sample {
    /// 您好，您的验证码是: the demo app's `welcome.wav`, played before a code.
    Welcome,
    /// 您的验证码是: the same without the greeting.
    CodeIs,
    /// 再说一遍: between two readings of a code.
    Again,
    /// 幺, the other reading of the digit 1, which nobody mistakes for 七.
    DigitOneYao,
    /// What a simulated caller says, over and over.
    DemoCaller,
    /// What a simulated callee says, over and over, in another voice.
    DemoCallee,
    /// The network's 您拨打的号码是空号.
    EmptyNumber,
    /// The network's 您拨打的用户正忙.
    Busy,
    /// The network's 您拨打的用户已关机.
    PoweredOff,
    /// One period of the network's busy tone, made to be looped.
    BusyTone,
}

impl Sample {
    /// Every sample, each once.
    pub const ALL: [Self; 10] = [
        Self::Welcome,
        Self::CodeIs,
        Self::Again,
        Self::DigitOneYao,
        Self::DemoCaller,
        Self::DemoCallee,
        Self::EmptyNumber,
        Self::Busy,
        Self::PoweredOff,
        Self::BusyTone,
    ];

    /// Its A-law bytes, 8,000 a second, without any header.
    #[must_use]
    pub const fn alaw(self) -> &'static [u8] {
        match self {
            Self::Welcome => WELCOME,
            Self::CodeIs => CODE_IS,
            Self::Again => AGAIN,
            Self::DigitOneYao => DIGIT_ONE_YAO,
            Self::DemoCaller => DEMO_CALLER,
            Self::DemoCallee => DEMO_CALLEE,
            Self::EmptyNumber => EMPTY_NUMBER,
            Self::Busy => BUSY,
            Self::PoweredOff => POWERED_OFF,
            Self::BusyTone => BUSY_TONE,
        }
    }
}

const WELCOME: &[u8] = payload(include_bytes!("../clips/zh/welcome.wav"));
const CODE_IS: &[u8] = payload(include_bytes!("../clips/zh/code-is.wav"));
const AGAIN: &[u8] = payload(include_bytes!("../clips/zh/again.wav"));
const DIGIT_ONE_YAO: &[u8] = payload(include_bytes!("../clips/zh/digit-1-yao.wav"));
const DEMO_CALLER: &[u8] = payload(include_bytes!("../clips/zh/demo-caller.wav"));
const DEMO_CALLEE: &[u8] = payload(include_bytes!("../clips/zh/demo-callee.wav"));
const EMPTY_NUMBER: &[u8] = payload(include_bytes!("../clips/zh/empty-number.wav"));
const BUSY: &[u8] = payload(include_bytes!("../clips/zh/busy.wav"));
const POWERED_OFF: &[u8] = payload(include_bytes!("../clips/zh/powered-off.wav"));
const BUSY_TONE: &[u8] = payload(include_bytes!("../clips/zh/busy-tone.wav"));
