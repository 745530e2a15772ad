//! The API's own words for states: what stands in JSON, and the types of `base` and `store` that it stands for.

use base::account;
use base::answerer;
use base::order;
use base::quality;
use base::quota;
use base::release;
use base::row;
use base::template;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Makes an enum of the API that mirrors one of ours, word by word. A new variant of ours does not compile without
/// its word.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident = $ours:path { $($(#[$what:meta])* $word:ident,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum $name {
            $($(#[$what])* $word,)+
        }

        impl From<$ours> for $name {
            fn from(ours: $ours) -> Self {
                match ours {
                    $(<$ours>::$word => Self::$word,)+
                }
            }
        }

        impl From<$name> for $ours {
            fn from(word: $name) -> Self {
                match word {
                    $($name::$word => <$ours>::$word,)+
                }
            }
        }
    };
}

words! {
    /// Whether an app may place calls.
    AppState = account::AppState {
        /// It may.
        Active,
        /// Its owner paused it.
        Paused,
        /// It is frozen, or was never approved.
        Unavailable,
        /// It was deleted; its keys stay known.
        Deleted,
    }
}

words! {
    /// Whether an app was released for real use.
    Phase = account::Phase {
        /// It may use the real paths, and the sandbox.
        Commercial,
        /// It may use the sandbox only.
        Sandbox,
    }
}

words! {
    /// How pushes are signed.
    PushSignature = account::PushSignature {
        /// Without authentication headers.
        Off,
        /// Address, nonce and UTC time, joined.
        Joined,
        /// Address, nonce and Beijing time, on three lines.
        Lines,
    }
}

words! {
    /// A kind of call.
    Product = order::ProductKind {
        /// Two parties, one after the other, then connected.
        Callback,
        /// A verification code for one party.
        Code,
        /// An announcement for one party, who may answer with keys.
        Notice,
        /// Spoken choices, through which one party finds a way with keys.
        Menu,
    }
}

words! {
    /// How a template is written.
    TemplateKind = template::TemplateKind {
        /// One text with places that are filled in their order.
        Placed,
        /// One text with places that have names.
        Named,
        /// Texts with places that have names, and the keys that lead from one to the next.
        Menu,
    }
}

words! {
    /// How much may be said in templates with named places.
    Lengths = store::LengthProfile {
        /// 100 characters in a value, 180 in the whole text.
        Wide,
        /// 50 characters in a value, 100 in the whole text.
        Strict,
    }
}

words! {
    /// In which codes reports tell a failure.
    ReportCodes = account::ReportCodes {
        /// The SIP status.
        Status,
        /// The vendor's own codes, which tell more causes apart.
        Detailed,
    }
}

words! {
    /// How reports write codes that are numbers.
    NumberForm = account::NumberForm {
        /// As numbers.
        Number,
        /// As text.
        Text,
    }
}

words! {
    /// What shows why a party was hard to hear.
    MediaTrouble = quality::Trouble {
        /// It describes an address that only its own network knows, and sends from another one.
        BehindNat,
        /// Packets come from another address than the described one.
        Elsewhere,
        /// What came was not protected by the key that was agreed on.
        Unproved,
        /// What came was no audio that we can use.
        Unusable,
        /// Everything that came was silence.
        Silent,
    }
}

words! {
    /// Whether a number may be shown.
    NumberState = account::NumberState {
        /// It may.
        Active,
        /// Not for now; another number of the app is shown in its place.
        Paused,
    }
}

words! {
    /// The state of a review.
    Review = account::Review {
        /// Nobody has looked yet.
        Pending,
        /// It may be used.
        Approved,
        /// It may not.
        Rejected,
    }
}

words! {
    /// Whether requests may name a key. A revoked one still signs the pushes of calls that were placed with it.
    KeyState = store::KeyState {
        /// They may.
        Active,
        /// They may not.
        Revoked,
    }
}

words! {
    /// What calls are counted by.
    Counted = quota::Counted {
        /// The enterprise that orders.
        Account,
        /// The app that orders.
        App,
        /// Each number that is shown.
        ShownNumber,
        /// The first party of a callback.
        Caller,
        /// Each party that is called, but the first party of a callback.
        Callee,
        /// The number that places the call: the one shown to the first party.
        ServiceNumber,
        /// The two parties of a callback, in this order.
        Pair,
    }
}

words! {
    /// A window of time, on the clocks of Beijing.
    Window = quota::Window {
        /// 60 seconds.
        Minute,
        /// 60 minutes.
        Hour,
        /// From midnight to midnight.
        Day,
        /// 30 days.
        Month,
        /// All time: a trial's. Only the calls of an account or an app are counted in it.
        Ever,
    }
}

words! {
    /// Whether an enterprise may place calls.
    EnterpriseState = account::AccountState {
        /// It may.
        Active,
        /// It owes money.
        InArrears,
        /// The operator suspended it.
        Suspended,
    }
}

words! {
    /// Whether the numbers of a sub-enterprise may place calls.
    SubEnterpriseState = account::OwnerState {
        /// They may.
        Active,
        /// The operator suspended it, after complaints for instance.
        Suspended,
    }
}

words! {
    /// What the operator's security has against an app.
    Hold = account::Hold {
        /// Something that customers are not told.
        Unspecified,
        /// Its calls are not what calls should be.
        AbnormalCalls,
    }
}

words! {
    /// What is asked of the address that a request comes from.
    Origin = account::Origin {
        /// Nothing.
        Any,
        /// It is an IPv4 address.
        Ipv4,
    }
}

words! {
    /// How often pushes are tried.
    PushProfile = store::PushProfile {
        /// As the vendor's documents say.
        Compat,
        /// Everything for a day, in order.
        Reliable,
    }
}

words! {
    /// What is listed, and what it is for.
    ListKind = store::ListKind {
        /// Numbers of first parties who may not be called for a callback.
        CallerBlock,
        /// Numbers that may not be called.
        CalleeBlock,
        /// Numbers that may be called, where only listed ones may.
        CalleeAllow,
        /// Blocks of addresses whose requests are refused; of the platform only.
        AddressBlock,
        /// Blocks of addresses of areas whose requests are refused; of the platform only.
        AreaBlock,
        /// Words that nobody may speak; of the platform only.
        Word,
    }
}

words! {
    /// Who ended something.
    EndedBy = release::Party {
        /// Leg A.
        Caller,
        /// Leg B.
        Callee,
        /// The platform: a timer, a limit, the end of a prompt, a fault.
        Platform,
        /// The customer, by asking for it.
        Customer,
    }
}

words! {
    /// Who picked up a telephone, as far as it could be heard.
    PickedUp = answerer::Answerer {
        /// A person.
        Person,
        /// A machine that takes messages, or that only talks.
        Machine,
        /// A machine that has beeped and wants its message.
        Beep,
        /// It could not be told.
        Unsure,
    }
}

words! {
    /// Why a leg or a call ended.
    Cause = release::Cause {
        /// It had been answered and was hung up.
        Normal,
        /// The number is in use.
        Busy,
        /// It rang and the network gave up.
        NoAnswer,
        /// It rang and the platform's own timer ran out.
        RingTimeout,
        /// The party refused the call.
        Rejected,
        /// There is no such number.
        NoSuchNumber,
        /// The party cannot be reached now.
        Unreachable,
        /// The telephone is switched off.
        PoweredOff,
        /// The network played an announcement of failure and gave no better cause.
        Announcement,
        /// The trunk or a gateway behind it failed.
        TrunkFault,
        /// The trunk never answered.
        TrunkSilent,
        /// The attempt was given up because the other party was gone.
        OtherPartyGone,
        /// The customer asked for it.
        Stopped,
        /// The longest allowed time was over.
        TimeOver,
        /// A clip could not be played.
        ClipFault,
        /// A clip was not there.
        ClipMissing,
        /// A text could not be spoken.
        SpeechFault,
        /// A word that must not be spoken stood in what was to be said; nobody was dialled.
        ForbiddenWords,
        /// The callee may not be called; nobody was dialled.
        CalleeBlocked,
        /// Keys were wanted and none came.
        NoDigits,
        /// A machine picked up and was hung up on.
        Machine,
        /// The conversation could not be recorded.
        RecordingFault,
        /// The process ended while the call ran.
        Interrupted,
        /// A fault of the platform's own.
        OurFault,
    }
}

words! {
    /// A kind of push.
    Channel = row::Channel {
        /// Status events.
        Status,
        /// Fee records.
        Fee,
        /// Reports of calls that are over.
        Report,
    }
}

words! {
    /// Where a push stands.
    PushState = store::PushState {
        /// Not tried yet.
        Fresh,
        /// To be tried again at a known time.
        Deferred,
        /// The receiver has it.
        Delivered,
        /// Given up, kept, and sent again when somebody asks for it.
        Parked,
    }
}
