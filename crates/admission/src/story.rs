//! An order that every rule agrees with, for tests to spoil in one place.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base::account::{Account, App, AppState, Key, Number, NumberState, PushSignature, Review, VoiceFile};
use base::address::Guard;
use base::clip::{ClipWish, SystemClip};
use base::id::{AppId, ClipId, Leg};
use base::number::E164;
use base::order::{Callback, CalleeMedia, Code, Ears, Longest, Placing, Product, ProductKind};
use base::permit::Ports;
use base::private::Private;
use base::refusal::Refusal;
use base::time::Timestamp;
use base::url::PushUrl;

use crate::{Admission, Desk, Finding, Policy};

pub(crate) const FIRST_NUMBER: &str = "+8675500000001";
pub(crate) const SECOND_NUMBER: &str = "+8675500000002";
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_767_323_045_678);

/// An order, who gives it, and the desk.
pub(crate) struct Story {
    pub(crate) account: Account,
    pub(crate) placing: Placing,
    pub(crate) policy: Policy,
    pub(crate) guard: Guard,
    pub(crate) app_ports: Arc<Ports>,
    pub(crate) platform_ports: Arc<Ports>,
    random: u128,
}

impl Story {
    pub(crate) fn callback() -> Self {
        Self::of(Product::Callback(Callback {
            caller: number("+8613800000001"),
            callee: number("+8613800000002"),
            shown_to_caller: number(FIRST_NUMBER),
            shown_to_callee: number(SECOND_NUMBER),
            longest: None,
            pre_voice: None,
            wait_voice: ClipWish::System(SystemClip::RingBack),
            callee_media: CalleeMedia::All,
        }))
    }

    pub(crate) fn code() -> Self {
        Self::of(Product::Code(Code {
            callee: number("+8613800000001"),
            shown: number(FIRST_NUMBER),
            before: ClipWish::System(SystemClip::Transferring),
            digits: Private::new(vec![4, 7, 1, 1]),
            after: None,
            times: Some(3),
        }))
    }

    fn of(product: Product<ClipWish>) -> Self {
        let mut story = Self {
            account: account(),
            placing: Placing {
                product,
                status_url: None,
                fee_url: None,
                user_data: Some("order 66".into()),
                bound_number: None,
                tell_idle_ports: false,
                tell_who_hung_up: true,
                record: false,
            },
            policy: Policy::default(),
            guard: Guard::default(),
            app_ports: Arc::default(),
            platform_ports: Arc::default(),
            random: 5,
        };
        story.own(FIRST_NUMBER);
        story.own(SECOND_NUMBER);
        story
    }

    pub(crate) fn callback_mut(&mut self) -> &mut Callback<ClipWish> {
        let Product::Callback(call) = &mut self.placing.product else { panic!("it is a callback") };
        call
    }

    pub(crate) fn code_mut(&mut self) -> &mut Code<ClipWish> {
        let Product::Code(call) = &mut self.placing.product else { panic!("it is a code") };
        call
    }

    pub(crate) fn own(&mut self, text: &str) {
        self.account.numbers.push(Number { number: number(text), state: NumberState::Active });
    }

    pub(crate) fn limit_talk(&mut self, last_minute: ClipWish) {
        let talk = Duration::from_secs(300);
        self.callback_mut().longest = Some(Longest { talk, last_minute, ears: Ears::Both });
    }

    pub(crate) const fn with_random(&mut self, random: u128) -> &mut Self {
        self.random = random;
        self
    }

    pub(crate) fn admit(&self) -> Result<Admission, Refusal> {
        crate::admit(self.placing.clone(), &self.account, &self.desk(), "huawei", NOW, self.random)
    }

    #[track_caller]
    pub(crate) fn admitted(&self) -> Admission {
        self.admit().expect("the order is admitted")
    }

    /// Why the order is refused. Explaining it finds the same refusal first, and a refusal takes nothing.
    #[track_caller]
    pub(crate) fn refused(&self) -> Option<Refusal> {
        let taken = || (self.app_ports.taken(), self.platform_ports.taken());
        let before = taken();
        let refusal = self.admit().err();
        let explained = self.explain().into_iter().find_map(|finding| finding.refusal);
        assert_eq!(refusal, explained, "the explanation is the decision");
        assert_eq!(taken(), before, "a refused or ended call holds no port");
        refusal
    }

    pub(crate) fn explain(&self) -> Vec<Finding> {
        crate::explain(&self.placing, &self.account, &self.desk(), self.random)
    }

    #[track_caller]
    pub(crate) fn shown_to_a(&self) -> String {
        let call = self.admitted().admitted.call;
        call.numbers(Leg::A).unwrap().shown.as_str().to_owned()
    }

    fn desk(&self) -> Desk<'_> {
        Desk {
            node: "node1",
            app_ports: &self.app_ports,
            platform_ports: &self.platform_ports,
            policy: &self.policy,
            guard: &self.guard,
        }
    }
}

pub(crate) fn number(text: &str) -> E164 {
    E164::parse(text).unwrap()
}

pub(crate) fn url(text: &str) -> Option<PushUrl> {
    Some(PushUrl::parse(text).unwrap())
}

pub(crate) fn voice_file(content: u8, review: Review) -> VoiceFile {
    VoiceFile { clip: ClipId::from_bytes([content; 16]), review }
}

fn account() -> Account {
    let app = App {
        id: AppId(7),
        name: "shop".into(),
        state: AppState::Active,
        products: vec![ProductKind::Callback, ProductKind::Code],
        ports: 10,
        recording: false,
        status_url: url("https://shop.example/status"),
        fee_url: None,
        push_signature: PushSignature::Joined,
    };
    let key = Key { id: "key1".into(), secret: Private::new("secret".into()) };
    Account { name: "acme".into(), app, key, numbers: Vec::new(), clips: BTreeMap::new() }
}
