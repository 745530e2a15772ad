//! An order that every rule agrees with, for tests to spoil in one place.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base::account::{
    Account, App, Key, Number, NumberState, OwnerState, Phase, Review, SpokenTemplate, VoiceFile,
};
use base::address::Guard;
use base::clip::{ClipWish, SystemClip, Values};
use base::experience::{Conducted, Outcome};
use base::id::{AppId, ClipId, Leg};
use base::number::E164;
use base::order::{
    Callback, CalleeMedia, Choice, Code, Ears, Longest, Menu, MenuNode, MenuTree, Notice, NoticeItem,
    Objections, Placing, Product, ProductKind, Repeats, Then, Told,
};
use base::permit::{Permit, Ports};
use base::private::Private;
use base::refusal::Refusal;
use base::release::Cause;
use base::screen::ForbiddenWords;
use base::standing::Platform;
use base::template::{TemplateKind, TextNo, Wording};
use base::time::Timestamp;
use base::trunk::{Route, Terms, TrunkNews, TrunkNo, Trunks};
use base::url::PushUrl;

use crate::{Admission, Desk, Finding, Gate, GateSettings, Policy, Quota, Resource, Tally, Visit};

pub(crate) const FIRST_NUMBER: &str = "+8675500000001";
pub(crate) const SECOND_NUMBER: &str = "+8675500000002";
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_767_323_045_678);

/// An order, who gives it, and both doors.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) peer: IpAddr,
    pub(crate) phase: Phase,
    pub(crate) product: Option<ProductKind>,
    pub(crate) gate: Gate,
    pub(crate) now: Timestamp,
    pub(crate) account: Account,
    pub(crate) placing: Placing,
    pub(crate) policy: Policy,
    pub(crate) guard: Guard,
    pub(crate) app_ports: Arc<Ports>,
    pub(crate) platform_ports: Arc<Ports>,
    pub(crate) tally: Tally,
    conducted: Arc<Conducted>,
    trunks: Trunks,
    random: u128,
}

impl Story {
    /// A story of each product.
    pub(crate) const ALL: [fn() -> Self; 4] = [Self::callback, Self::code, Self::notice, Self::menu];

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
            recorded: None,
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
            repeats: Repeats::Digits,
        }))
    }

    pub(crate) fn notice() -> Self {
        Self::of(Product::Notice(Notice {
            callee: number("+8613800000001"),
            shown: number(FIRST_NUMBER),
            items: vec![item(ClipWish::System(SystemClip::Transferring))],
        }))
    }

    pub(crate) fn menu() -> Self {
        let clip = || ClipWish::System(SystemClip::Transferring);
        let node = |choices| MenuNode {
            prompt: clip(),
            choices,
            wait: Duration::from_secs(5),
            plays: 2,
            wrong: Some(clip()),
        };
        let nodes = vec![node(vec![Choice { key: '1', then: Then::Node(1) }]), node(Vec::new())];
        Self::of(Product::Menu(Menu {
            callee: number("+8613800000001"),
            shown: number(FIRST_NUMBER),
            tree: MenuTree { nodes, bye: Some(clip()) },
        }))
    }

    fn of(product: Product<ClipWish>) -> Self {
        let mut story = Self {
            peer: "9.9.9.9".parse().unwrap(),
            phase: Phase::Commercial,
            product: Some(product.kind()),
            gate: Gate::new(&GateSettings::default()),
            now: NOW,
            account: account(),
            placing: Placing {
                product,
                told: Told::Events { status_url: None, fee_url: None },
                asked_shown: None,
                objections: Objections::Refuse,
                user_data: Some("order 66".into()),
                bound_number: None,
                tell_idle_ports: false,
                tell_who_hung_up: true,
            },
            policy: Policy::default(),
            guard: Guard::default(),
            app_ports: Arc::default(),
            platform_ports: Arc::default(),
            tally: Tally::new(),
            conducted: Arc::default(),
            trunks: trunk("+"),
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

    pub(crate) fn notice_mut(&mut self) -> &mut Notice<ClipWish> {
        let Product::Notice(call) = &mut self.placing.product else { panic!("it is a notice") };
        call
    }

    pub(crate) fn menu_mut(&mut self) -> &mut Menu<ClipWish> {
        let Product::Menu(call) = &mut self.placing.product else { panic!("it is a menu") };
        call
    }

    /// Where the order wants its events.
    pub(crate) fn told(&mut self, status_url: Option<PushUrl>, fee_url: Option<PushUrl>) {
        self.placing.told = Told::Events { status_url, fee_url };
    }

    /// The customer wants one report, and objections in it.
    pub(crate) fn reported(mut self) -> Self {
        (self.placing.told, self.placing.objections) = (Told::Report, Objections::Report);
        self
    }

    pub(crate) fn forbid(&mut self, word: &str) {
        self.platform_mut().forbidden_words = ForbiddenWords::new([word]);
    }

    pub(crate) fn platform_mut(&mut self) -> &mut Platform {
        Arc::make_mut(&mut self.account.platform)
    }

    /// Has another callee.
    pub(crate) fn call(&mut self, callee: &E164) {
        let own = match &mut self.placing.product {
            Product::Callback(call) => &mut call.callee,
            Product::Code(call) => &mut call.callee,
            Product::Notice(call) => &mut call.callee,
            Product::Menu(call) => &mut call.callee,
        };
        own.clone_from(callee);
    }

    pub(crate) fn callee(&self) -> E164 {
        match &self.placing.product {
            Product::Callback(call) => call.callee.clone(),
            Product::Code(call) => call.callee.clone(),
            Product::Notice(call) => call.callee.clone(),
            Product::Menu(call) => call.callee.clone(),
        }
    }

    pub(crate) fn own(&mut self, text: &str) {
        let number = number(text);
        self.account.numbers.push(Number { number, state: NumberState::Active, owner: OwnerState::Active });
    }

    pub(crate) fn template(&mut self, id: &str, text: &str, review: Review) {
        self.wording(id, TemplateKind::Placed, text, review);
    }

    pub(crate) fn wording(&mut self, id: &str, kind: TemplateKind, text: &str, review: Review) {
        let wording = Wording::parse(kind, text).unwrap();
        self.account.templates.insert(id.into(), SpokenTemplate { wording, speed: 100, review });
    }

    /// A notice, or a menu, of an approved template with named places.
    pub(crate) fn named(kind: TemplateKind, text: &str, values: &[(&str, &str)]) -> Self {
        let mut story = if kind == TemplateKind::Menu { Self::menu() } else { Self::notice() };
        story.wording("200001", kind, text, Review::Approved);
        let value = |(name, value): &(&str, &str)| ((*name).into(), Private::new((*value).into()));
        let values = Values::ByName(Arc::new(values.iter().map(value).collect()));
        let spoken = |part| ClipWish::Spoken { template: "200001".into(), part, values: values.clone() };
        match &story.account.templates["200001"].wording {
            Wording::Menu(menu) => {
                let tree = menu.tree().try_map(|part| Ok::<_, ()>(spoken(*part))).unwrap();
                story.menu_mut().tree = tree;
            }
            Wording::Placed(_) | Wording::Named(_) => {
                story.notice_mut().items = vec![item(spoken(TextNo(0)))];
            }
        }
        story
    }

    /// The address fails to prove who it is until it is banned.
    pub(crate) fn fail_proofs(&self) {
        for _ in 0..GateSettings::default().failures {
            self.gate.failed(self.peer, self.now);
        }
    }

    /// A call of the app went like this.
    pub(crate) fn went(&self, talked: Option<Duration>) {
        let permit = Permit::take(&Arc::default(), 1, &Arc::default(), 1).unwrap();
        permit.teaching(&self.conducted).conclude(&Outcome { at: self.now, talked });
    }

    /// The trunk fails so many calls that it is known for it.
    pub(crate) fn trunk_fails(&self, status: u16) {
        for _ in 0..9 {
            self.trunks.learn(the_trunk(), TrunkNews::Failed { status, pause: None }, self.now);
        }
    }

    /// The only trunk takes nothing but numbers that begin so.
    pub(crate) fn trunk_takes(&mut self, prefix: &str) {
        self.trunks = trunk(prefix);
    }

    pub(crate) fn limit_talk(&mut self, last_minute: ClipWish) {
        let talk = Duration::from_secs(300);
        self.callback_mut().longest = Some(Longest { talk, last_minute, ears: Ears::Both });
    }

    pub(crate) const fn with_random(&mut self, random: u128) -> &mut Self {
        self.random = random;
        self
    }

    pub(crate) fn enter(&self) -> Result<(), Refusal> {
        crate::enter(&self.account, &self.visit())
    }

    pub(crate) fn admit(&self) -> Result<Admission, Refusal> {
        crate::admit(self.placing.clone(), &self.account, &self.desk(), "huawei", self.random)
    }

    #[track_caller]
    pub(crate) fn admitted(&self) -> Admission {
        self.admit().expect("the order is admitted")
    }

    /// Why the order is refused at one of the doors. Explaining it finds the same refusal first, and neither the
    /// explanation nor the refusal takes anything.
    #[track_caller]
    pub(crate) fn refused(&self) -> Option<Refusal> {
        let taken = || (self.app_ports.taken(), self.platform_ports.taken(), self.counted());
        let before = taken();
        let explained = self.explain().into_iter().find_map(|finding| finding.refusal);
        let objection = self.explain().into_iter().find_map(|finding| finding.objection);
        let outcome = self.enter().and_then(|()| self.admit());
        if let Ok(admission) = &outcome {
            assert_eq!(admission.admitted.objection, objection, "the explanation is the decision");
            self.tally.refund(&admission.charges);
        }
        let refusal = outcome.err();
        assert_eq!(refusal, explained, "the explanation is the decision");
        assert_eq!(taken(), before, "a refused, or ended and refunded, call is held and counted nowhere");
        refusal
    }

    /// What is held against the order, which is accepted all the same.
    #[track_caller]
    pub(crate) fn objection(&self) -> Option<Cause> {
        assert_eq!(self.refused(), None);
        self.admitted().admitted.objection
    }

    pub(crate) fn explain(&self) -> Vec<Finding> {
        crate::explain(&self.placing, &self.account, &self.visit(), &self.desk(), self.random)
    }

    #[track_caller]
    pub(crate) fn shown_to_a(&self) -> String {
        let call = self.admitted().admitted.call;
        call.numbers(Leg::A).unwrap().shown.as_str().to_owned()
    }

    /// What every limit on calls has counted.
    fn counted(&self) -> Vec<Quota> {
        let quotas = self.explain().into_iter().flat_map(|finding| finding.quotas);
        quotas.filter(|quota| matches!(quota.of, Resource::Calls(_))).collect()
    }

    fn visit(&self) -> Visit<'_> {
        let Self { peer, phase, product, now, ref gate, .. } = *self;
        Visit { peer, phase, product, now, gate }
    }

    fn desk(&self) -> Desk<'_> {
        Desk {
            node: "node1",
            app_ports: &self.app_ports,
            platform_ports: &self.platform_ports,
            policy: &self.policy,
            guard: &self.guard,
            tally: &self.tally,
            conducted: &self.conducted,
            trunks: &self.trunks,
            now: self.now,
        }
    }
}

/// One trunk, which takes numbers that begin so.
fn trunk(prefix: &str) -> Trunks {
    let routes = vec![Route { prefixes: vec![prefix.into()], ..Route::everything() }];
    let trunks = Trunks::new([Terms { routes, ..Terms::new("trunk") }], NOW);
    trunks.has_addresses(the_trunk(), 1, NOW);
    trunks
}

fn the_trunk() -> TrunkNo {
    TrunkNo::new(0).unwrap()
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

pub(crate) fn item(voice: ClipWish) -> NoticeItem<ClipWish> {
    NoticeItem { voice, collect: None }
}

pub(crate) fn spoken(template: &str, values: Option<&[&str]>) -> ClipWish {
    let private = |value: &&str| Private::new((*value).into());
    ClipWish::Spoken {
        template: template.into(),
        part: TextNo(0),
        values: values.map_or(Values::None, |values| Values::InOrder(values.iter().map(private).collect())),
    }
}

fn account() -> Account {
    let mut app = App::new(AppId(7), "shop");
    app.status_url = url("https://shop.example/status");
    app.report_url = url("https://shop.example/report");
    let key = Key { id: "key1".into(), secret: Private::new("secret".into()), token: None };
    Account::new("acme", app, key)
}
