//! Explanations: what every rule says about an order, and what is left of each quota, without placing a call.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Json, State};
use base::account;
use base::clip::{ClipWish, SystemClip, Values};
use base::id::AppId;
use base::number::E164;
use base::order::{
    Callback, CalleeMedia, Code, Ears, Longest, Menu, MenuTree, Notice, NoticeItem, Objections, Placing,
    Recorded, Repeats, Told,
};
use base::private::Private;
use base::template::{MenuTemplate, TemplateKind, TextNo};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::apps::receiver;
use super::extract::Body;
use super::numbers::parse;
use crate::parts::{Asked, Explained, Parts, Question, Unexplained};
use crate::problem::{Kind, Problem};
use crate::words::{Cause, Counted, Phase, Window};

/// An order whose fate is asked: in our words, or as a customer's request.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExplainQuestion {
    /// The app that orders.
    app: i64,
    /// The address that the request is taken to come from; without it, this machine.
    #[schema(value_type = Option<String>, example = "203.0.113.7")]
    from: Option<IpAddr>,
    /// The order in our words. Exactly one of `order` and `request` must be there.
    order: Option<OrderQuestion>,
    /// The order as a customer's request.
    request: Option<RequestQuestion>,
}

/// An order in our words.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "product", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum OrderQuestion {
    /// Connect two parties.
    Callback {
        /// Who is dialled first.
        #[schema(example = "+8613800000001")]
        caller: String,
        /// Who is dialled then.
        #[schema(example = "+8613800000002")]
        callee: String,
        /// What the caller's telephone shows.
        #[schema(example = "+8675500000001")]
        shown_to_caller: String,
        /// What the callee's telephone shows; without it, the same.
        shown_to_callee: Option<String>,
        /// Minutes after which the conversation is ended.
        #[schema(minimum = 1, maximum = 1440)]
        max_minutes: Option<u16>,
        /// Whether it is recorded.
        #[serde(default)]
        record: bool,
        /// Where status events would go.
        status_url: Option<String>,
        /// Where the fee record would go.
        fee_url: Option<String>,
        /// Whether it is ordered in the sandbox.
        phase: Option<Phase>,
    },
    /// Say a verification code.
    Code {
        /// Who is dialled.
        #[schema(example = "+8613800000001")]
        callee: String,
        /// What the telephone shows.
        #[schema(example = "+8675500000001")]
        shown: String,
        /// The voice file before the code; without it, none is looked up.
        clip: Option<String>,
        /// Where status events would go.
        status_url: Option<String>,
        /// Where the fee record would go.
        fee_url: Option<String>,
        /// Whether it is ordered in the sandbox.
        phase: Option<Phase>,
    },
    /// Announce something.
    Notice {
        /// Who is dialled.
        #[schema(example = "+8613800000001")]
        callee: String,
        /// What the telephone shows.
        #[schema(example = "+8675500000001")]
        shown: String,
        /// What is heard, in order.
        #[schema(min_items = 1, max_items = 5)]
        items: Vec<NoticeQuestion>,
        /// Where status events would go.
        status_url: Option<String>,
        /// Where the fee record would go.
        fee_url: Option<String>,
        /// Whether it is ordered in the sandbox.
        phase: Option<Phase>,
    },
    /// Offer choices. It is told of by a report, to the app's receiver of reports.
    Menu {
        /// Who is dialled.
        #[schema(example = "+8613800000001")]
        callee: String,
        /// What the telephone shows.
        #[schema(example = "+8675500000001")]
        shown: String,
        /// The template that is a menu, by its id.
        #[schema(example = "200001")]
        template: String,
        /// What stands in the places of all its texts, by their names.
        values: Option<BTreeMap<Box<str>, Box<str>>>,
        /// Whether it is ordered in the sandbox.
        phase: Option<Phase>,
    },
}

/// One thing to hear.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum NoticeQuestion {
    /// A voice file.
    Clip {
        /// Its name.
        clip: String,
    },
    /// A template.
    Template {
        /// Its id.
        template: String,
        /// What stands in its places.
        values: Option<ValuesQuestion>,
    },
}

/// What stands in the places of a template.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum ValuesQuestion {
    /// A value for each place, in their order.
    InOrder(Vec<Box<str>>),
    /// Values by the names of the places.
    ByName(BTreeMap<Box<str>, Box<str>>),
}

/// A customer's request, without its proof.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestQuestion {
    /// The HTTP method; without it, POST.
    method: Option<String>,
    /// The path, with its query if it has one.
    path: String,
    /// The body: any JSON, or a text that is taken as it is.
    #[serde(default)]
    body: serde_json::Value,
}

/// What the rules say about an order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Explanation {
    /// Whether the order would be accepted now. The call is placed then, unless there is an objection.
    accepted: bool,
    /// Why not: what the first rule that says no has against it. Null when it is accepted.
    #[schema(required)]
    refusal: Option<String>,
    /// Why nobody would be dialled although the order is accepted: the cause that the call's report would tell. Null when
    /// somebody would be, and when the order is refused.
    #[schema(required)]
    objection: Option<Cause>,
    /// Every rule, in the order in which they are asked. Empty when the request is no order.
    rules: Vec<RuleFinding>,
    /// What the customer would be answered; null for an order in our words, and when it is accepted.
    #[schema(required)]
    answer: Option<CustomerAnswer>,
}

/// What one rule says.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RuleFinding {
    /// The rule in words.
    #[schema(example = "the app is active")]
    rule: String,
    /// Whether it has nothing against the order, and nothing against dialling somebody for it.
    passed: bool,
    /// Why it refuses the order; null when it does not.
    #[schema(required)]
    refusal: Option<String>,
    /// Why it lets nobody be dialled for an order that it lets pass: the cause that the call's report would tell. Null when
    /// it does not.
    #[schema(required)]
    objection: Option<Cause>,
    /// What it counts, and what is left.
    quotas: Vec<QuotaLeft>,
}

/// A limit, and how far its count has come without the order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuotaLeft {
    /// What is counted.
    of: Resource,
    /// What calls are counted by; null for what is not calls.
    #[schema(required)]
    counted_by: Option<Counted>,
    /// Whose limit it is.
    set_for: Scope,
    /// The window it is counted in; null for what is taken and given back all the time.
    #[schema(required)]
    per: Option<Window>,
    /// How many there may be.
    allowed: u32,
    /// How many there are. More than allowed when the limit was lowered.
    used: u32,
    /// How many are left.
    left: u32,
}

/// What a quota counts.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Resource {
    /// Requests of any kind.
    Requests,
    /// Calls, by one of their properties.
    Calls,
    /// Calls that run at once.
    Ports,
}

/// Whose limit a quota is.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scope {
    /// Everybody's.
    Platform,
    /// The app's own.
    App,
}

/// What a customer would be answered.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CustomerAnswer {
    /// The HTTP status.
    status: u16,
    /// The body.
    body: String,
}

/// Says what every rule has against an order, and what is left of each quota. Nothing is dialled, taken or counted.
#[utoipa::path(
    post, path = "/explain", tag = "explain", operation_id = "explain", request_body = ExplainQuestion,
    responses((status = 200, description = "What the rules say.", body = Explanation))
)]
pub(crate) async fn explain(
    State(parts): State<Arc<Parts>>,
    Body(question): Body<ExplainQuestion>,
) -> Result<Json<Explanation>, Problem> {
    let app = AppId(question.app);
    parts.admin.app(app).await?;
    let asked = Asked {
        app,
        from: question.from.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        question: match (question.order, question.request) {
            (Some(order), None) => order.read(&parts).await?,
            (None, Some(request)) => request.read(),
            (Some(_), Some(_)) | (None, None) => {
                return Err(Problem::new(
                    Kind::InvalidBody,
                    "exactly one of order and request must be there",
                    "order 和 request 必须且只能有一个",
                ));
            }
        },
    };
    match parts.house()?.explain(&asked) {
        Ok(explained) => Ok(Json(explained.into())),
        Err(why) => Err(why.into()),
    }
}

impl OrderQuestion {
    async fn read(self, parts: &Parts) -> Result<Question, Problem> {
        let (product, told, phase) = match self {
            Self::Callback {
                caller,
                callee,
                shown_to_caller,
                shown_to_callee,
                max_minutes,
                record,
                status_url,
                fee_url,
                phase,
            } => {
                let shown_to_caller = parse("shown_to_caller", &shown_to_caller)?;
                let shown_to_callee = match shown_to_callee {
                    Some(number) => parse("shown_to_callee", &number)?,
                    None => shown_to_caller.clone(),
                };
                let callback = Callback {
                    caller: parse("caller", &caller)?,
                    callee: parse("callee", &callee)?,
                    shown_to_caller,
                    shown_to_callee,
                    longest: max_minutes.map(longest).transpose()?,
                    pre_voice: None,
                    wait_voice: ClipWish::System(SystemClip::RingBack),
                    callee_media: CalleeMedia::All,
                    recorded: record.then_some(Recorded { hint: ClipWish::System(SystemClip::HintTone) }),
                };
                (base::order::Product::Callback(callback), events(status_url, fee_url)?, phase)
            }
            Self::Code { callee, shown, clip, status_url, fee_url, phase } => {
                let before =
                    clip.map_or(ClipWish::System(SystemClip::Pause), |name| ClipWish::Named(name.into()));
                let (callee, shown) = (parse("callee", &callee)?, parse("shown", &shown)?);
                let product = base::order::Product::Code(code(callee, shown, before));
                (product, events(status_url, fee_url)?, phase)
            }
            Self::Notice { callee, shown, items, status_url, fee_url, phase } => {
                if !(1..=NOTICE_ITEMS).contains(&items.len()) {
                    return Err(Problem::new(
                        Kind::UnusableValue,
                        format!("a notice has 1 to {NOTICE_ITEMS} items"),
                        format!("通知包含 1 到 {NOTICE_ITEMS} 段"),
                    ));
                }
                let items = items.into_iter().map(|item| NoticeItem { voice: item.wish(), collect: None });
                let notice = Notice {
                    callee: parse("callee", &callee)?,
                    shown: parse("shown", &shown)?,
                    items: items.collect(),
                };
                (base::order::Product::Notice(notice), events(status_url, fee_url)?, phase)
            }
            Self::Menu { callee, shown, template, values, phase } => {
                let menu = Menu {
                    callee: parse("callee", &callee)?,
                    shown: parse("shown", &shown)?,
                    tree: tree(parts, &template, values.map_or(Values::None, by_name)).await?,
                };
                (base::order::Product::Menu(menu), Told::Report, phase)
            }
        };
        let placing = Placing {
            product,
            told,
            asked_shown: None,
            // Whoever asks wants to hear of what is held against the order.
            objections: Objections::Refuse,
            user_data: None,
            bound_number: None,
            tell_idle_ports: false,
            tell_who_hung_up: false,
        };
        let phase = phase.map_or_else(account::Phase::default, Into::into);
        Ok(Question::Order { placing: Box::new(placing), phase })
    }
}

fn events(status_url: Option<String>, fee_url: Option<String>) -> Result<Told, Problem> {
    Ok(Told::Events {
        status_url: receiver("status_url", status_url)?,
        fee_url: receiver("fee_url", fee_url)?,
    })
}

/// The tree of a template that is a menu, with all its texts spoken with the same values.
async fn tree(parts: &Parts, id: &str, values: Values) -> Result<MenuTree<ClipWish>, Problem> {
    let draft = parts.admin.template(id).await?.draft;
    if draft.kind != TemplateKind::Menu {
        return Err(Problem::new(
            Kind::UnusableValue,
            format!("template {id} is no menu"),
            format!("模板 {id} 不是菜单"),
        ));
    }
    let menu = MenuTemplate::parse(&draft.text).map_err(|fault| Problem::fault(&fault))?;
    let spoken =
        |part: &TextNo| Ok(ClipWish::Spoken { template: id.into(), part: *part, values: values.clone() });
    menu.tree().try_map(spoken)
}

fn by_name(values: BTreeMap<Box<str>, Box<str>>) -> Values {
    Values::ByName(Arc::new(values.into_iter().map(|(name, value)| (name, Private::new(value))).collect()))
}

fn longest(minutes: u16) -> Result<Longest<ClipWish>, Problem> {
    if !(1..=MINUTES).contains(&minutes) {
        return Err(Problem::new(
            Kind::UnusableValue,
            format!("max_minutes is {minutes} and may be 1 to {MINUTES}"),
            format!("max_minutes 为 {minutes}，允许 1 到 {MINUTES}"),
        ));
    }
    let talk = Duration::from_secs(60 * u64::from(minutes));
    Ok(Longest { talk, last_minute: ClipWish::System(SystemClip::LastMinute), ears: Ears::Both })
}

fn code(callee: E164, shown: E164, before: ClipWish) -> Code<ClipWish> {
    // Which digits they would be makes no difference to any rule.
    let digits = Private::new(vec![0; 4]);
    Code { callee, shown, before, digits, after: None, times: Some(1), repeats: Repeats::default() }
}

impl NoticeQuestion {
    fn wish(self) -> ClipWish {
        match self {
            Self::Clip { clip } => ClipWish::Named(clip.into()),
            Self::Template { template, values } => {
                let values = values.map_or(Values::None, ValuesQuestion::read);
                ClipWish::Spoken { template: template.into(), part: TextNo::default(), values }
            }
        }
    }
}

impl ValuesQuestion {
    fn read(self) -> Values {
        match self {
            Self::InOrder(values) => Values::InOrder(values.into_iter().map(Private::new).collect()),
            Self::ByName(values) => by_name(values),
        }
    }
}

impl RequestQuestion {
    fn read(self) -> Question {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let body = match self.body {
            serde_json::Value::Null => Vec::new(),
            serde_json::Value::String(text) => text.into_bytes(),
            json => json.to_string().into_bytes(),
        };
        let method = self.method.as_deref().unwrap_or("POST").into();
        Question::Request { method, path: path.into(), query: query.into(), body }
    }
}

impl From<Explained> for Explanation {
    fn from(explained: Explained) -> Self {
        let against = explained.findings.iter().find_map(|finding| finding.refusal.as_ref());
        let refusal = explained.unreadable.as_ref().or(against).map(ToString::to_string);
        let objection = explained.findings.iter().find_map(|finding| finding.objection);
        let objection = objection.filter(|_| refusal.is_none()).map(Into::into);
        let answer = explained.answer.filter(|_| refusal.is_some());
        let body = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            accepted: refusal.is_none(),
            refusal,
            objection,
            rules: explained.findings.into_iter().map(Into::into).collect(),
            answer: answer.map(|(status, bytes)| CustomerAnswer { status, body: body(&bytes) }),
        }
    }
}

impl From<admission::Finding> for RuleFinding {
    fn from(finding: admission::Finding) -> Self {
        Self {
            rule: finding.rule.to_owned(),
            passed: finding.refusal.is_none() && finding.objection.is_none(),
            refusal: finding.refusal.map(|refusal| refusal.to_string()),
            objection: finding.objection.map(Into::into),
            quotas: finding.quotas.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<admission::Quota> for QuotaLeft {
    fn from(quota: admission::Quota) -> Self {
        let (of, counted_by) = match quota.of {
            admission::Resource::Requests => (Resource::Requests, None),
            admission::Resource::Calls(counted) => (Resource::Calls, Some(counted.into())),
            admission::Resource::Ports => (Resource::Ports, None),
        };
        let set_for = match quota.set_for {
            admission::Scope::Platform => Scope::Platform,
            admission::Scope::App => Scope::App,
        };
        let (allowed, used, left) = (quota.allowed, quota.used, quota.left());
        Self { of, counted_by, set_for, per: quota.per.map(Into::into), allowed, used, left }
    }
}

impl From<Unexplained> for Problem {
    fn from(why: Unexplained) -> Self {
        match why {
            Unexplained::UnknownPath => Self::new(
                Kind::UnusableValue,
                "no customer's API has the path of the request",
                "没有客户接口使用请求中的路径",
            ),
            Unexplained::NoCall => {
                Self::new(Kind::UnusableValue, "the request orders no call", "该请求并不发起呼叫")
            }
            Unexplained::NoAccount => Self::new(
                Kind::Conflict,
                "the app has no key that a request could name",
                "应用没有请求可用的密钥",
            )
            .fix("create a key for the app first", "请先为应用创建密钥"),
        }
    }
}

/// The longest conversation, in minutes: as documented.
const MINUTES: u16 = 1_440;

/// Things to hear in a notice: as documented.
const NOTICE_ITEMS: usize = 5;

pub(super) fn routes() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new().routes(routes!(explain))
}
