//! What the vendor answers when it refuses: HTTP status, `Code`, `Type` and `Message`.
//!
//! The codes are those of the document's table, its misspellings included. Of the messages it prints one; the others
//! are ours. Faults of proof have a second vocabulary, which the general pages print for signatures in headers
//! ([`Family`]).

use std::borrow::Cow;

use base::quota::{Counted, Window};
use base::refusal::Refusal;

use super::auth::Style;
use super::fields::form::{Parameters, Unreadable};
use crate::dialect::Settings;

/// A code of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiCode {
    /// The HTTP status that comes with it.
    pub status: u16,
    /// The code.
    pub code: &'static str,
    /// What the document says of it.
    pub meaning: &'static str,
}

const fn code(status: u16, code: &'static str, meaning: &'static str) -> ApiCode {
    ApiCode { status, code, meaning }
}

const UNKNOWN: ApiCode = code(500, "Unknow", "未知错误");
const NOT_OPEN: ApiCode = code(500, "AccountVoiceServiceUnavailable", "服务临时不可用");
const ACCOUNT: ApiCode = code(400, "InvalidAccountId", "账号错误");
const MOBILE: ApiCode = code(400, "InvalidMobile", "手机号格式错误");
const TEMPLATE: ApiCode = code(400, "InvalidTplId", "模板ID不存在");
const VALUES: ApiCode = code(400, "InvalidTplParams", "模板参数不存在或者错误");
const VERIFY_CODE: ApiCode = code(400, "InvalidVerifyCode", "验证码格式错误");
const ADDRESS: ApiCode = code(400, "TplContainUrl", "模板不能有url");
const VALUE_LENGTH: ApiCode = code(400, "InvalidTplLen", "模板参数长度超限");
const TEXT_LENGTH: ApiCode = code(400, "InvalidContentLen", "超过语音内容最大长度");
const PLAY_TIMES: ApiCode = code(400, "InvalidPlayTimes", "播放次数不合法");
const EXT_ID: ApiCode = code(400, "InvalidExtId", "外部流水扩展格式错误");
const SENDING: ApiCode = code(400, "SendVoiceFailed", "发送语音失败");
const TRIAL: ApiCode = code(400, "TrialTimesLimit", "试用额度已用完");
const CHANNEL: ApiCode = code(400, "EmptyVoiceChannel", "通道不存在");
const FREQUENCY: ApiCode =
    code(400, "MobileFrequencyLimit", "往同个手机号下发短信的条数超过控制台上设定的频度控制上限");
const MISMATCH: ApiCode = code(403, "SignatureNotMatch", "签名不匹配");
const NO_SERVICE: ApiCode = code(404, "ServiceUnavailable", "请求被拒绝，因其引用的InnerAPI无内部服务");
const INNER: ApiCode = code(500, "InnerServiceUnavaliable", "openAPI或服务暂不可用");
const NO_ENTITY: ApiCode = code(404, "NoSuchEntity", "请求被拒绝，因其引用的InnerAPI不存在");
const FLOW: ApiCode = code(409, "FlowLimitExceeded", "请求被拒绝，因该openAPI接口访问速度已达到流控上限");
const MISSING: ApiCode = code(400, "MissingParameter", "输入参数 %s的值不能为空");
const CLOCK: ApiCode = code(400, "InvalidTimestamp", "请保持请求时间戳在15分钟以内");
const CLOCK_FORMAT: ApiCode =
    code(400, "InvalidTimestampFormat", "请求时间戳格式不合法(%s)，格式：YYYY-MM-DDThh:mm:ssZ");
const TIMEOUT: ApiCode = code(500, "ServiceTimeout", "内部服务由于超时暂不可用");

/// The document's table, in its order.
pub const API_CODES: &[ApiCode] = &[
    UNKNOWN,
    NOT_OPEN,
    ACCOUNT,
    MOBILE,
    TEMPLATE,
    VALUES,
    VERIFY_CODE,
    ADDRESS,
    VALUE_LENGTH,
    TEXT_LENGTH,
    PLAY_TIMES,
    EXT_ID,
    SENDING,
    TRIAL,
    CHANNEL,
    FREQUENCY,
    MISMATCH,
    NO_SERVICE,
    INNER,
    NO_ENTITY,
    FLOW,
    MISSING,
    CLOCK,
    CLOCK_FORMAT,
    TIMEOUT,
];

// Of the general pages about the vendor's gateway; the voice document's table has none of them.
const VALUE: ApiCode = code(400, "InvalidParameterValue", "");
const HEADER_MISMATCH: ApiCode = code(403, "SignatureDoesNotMatch", "");
const NO_TOKEN: ApiCode = code(403, "MissingAuthenticationToken", "");

/// Our own: the documents know no lists of addresses.
const DENIED: ApiCode = code(403, "AccessDenied", "");

/// An answer that is not a success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) code: ApiCode,
    pub(super) kind: Kind,
    pub(super) message: Cow<'static, str>,
}

/// Who is to blame, as `Type` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The request, says the gateway.
    Sender,
    /// The request, says the service behind it.
    ServiceSender,
    /// The service.
    Server,
}

impl Kind {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Sender => "Sender",
            Self::ServiceSender => "sender",
            Self::Server => "server",
        }
    }
}

const fn gateway(code: ApiCode, message: &'static str) -> Answer {
    Answer { code, kind: Kind::Sender, message: Cow::Borrowed(message) }
}

const fn service(code: ApiCode, message: &'static str) -> Answer {
    Answer { code, kind: Kind::ServiceSender, message: Cow::Borrowed(message) }
}

const fn server(code: ApiCode, message: &'static str) -> Answer {
    Answer { code, kind: Kind::Server, message: Cow::Borrowed(message) }
}

/// In whose words a fault of proof is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// The voice document's.
    Document,
    /// Those of the general pages about signatures in headers.
    Header,
}

impl Family {
    /// The words for a request that proves itself in that style.
    pub(super) const fn of(style: Style, settings: &Settings) -> Self {
        match style {
            Style::Parameter => Self::Document,
            Style::Header | Style::Presigned | Style::Foreign if settings.one_error_family => Self::Document,
            Style::Header | Style::Presigned | Style::Foreign => Self::Header,
        }
    }

    /// The signature is not what it must be; `detail` is told where there are words for it.
    pub(super) const fn mismatch(self, detail: &'static str) -> Answer {
        match self {
            Self::Document => gateway(
                MISMATCH,
                "The request signature we calculated does not match the signature you provided.",
            ),
            Self::Header => gateway(HEADER_MISMATCH, detail),
        }
    }

    /// There is nothing that proves who asks.
    pub(super) fn no_token(self, detail: &'static str) -> Answer {
        match self {
            Self::Document => missing("Signature"),
            Self::Header => gateway(NO_TOKEN, detail),
        }
    }

    /// The request's time is too far from ours.
    pub(super) const fn stale(self) -> Answer {
        match self {
            Self::Document => {
                gateway(CLOCK, "The timestamp of the request must be within 15 minutes of the server's time.")
            }
            Self::Header => gateway(
                HEADER_MISMATCH,
                "Signature expired: the date of the request is not within 15 minutes of the server's time.",
            ),
        }
    }

    /// The request's time cannot be read.
    pub(super) fn no_time(self, value: &str) -> Answer {
        match self {
            Self::Document => time_format(value),
            Self::Header => gateway(
                HEADER_MISMATCH,
                "Date must be in ISO-8601 'basic format', for example 20261122T045457Z.",
            ),
        }
    }
}

/// What a signature that does not match is told in the words of headers.
pub(super) const WRONG_SIGNATURE: &str =
    "The request signature we calculated does not match the signature you provided.";

/// A parameter is not there, or empty.
pub(super) fn missing(name: &str) -> Answer {
    let message = format!("The value of the input parameter {name} must not be empty.");
    Answer { code: MISSING, kind: Kind::Sender, message: message.into() }
}

fn time_format(value: &str) -> Answer {
    let value = shortened(value);
    let message =
        format!("The format of the request's timestamp ({value}) is invalid. Format: YYYY-MM-DDThh:mm:ssZ.");
    Answer { code: CLOCK_FORMAT, kind: Kind::Sender, message: message.into() }
}

/// The parameters cannot be read.
pub(super) fn unreadable(why: &Unreadable) -> Answer {
    match why {
        Unreadable::Twice(name) => invalid(name),
        Unreadable::Encoding => {
            gateway(VALUE, "The parameters of the request are not valid UTF-8 or not well escaped.")
        }
        Unreadable::Json => gateway(VALUE, "The body of the request is not a JSON object with unique names."),
        Unreadable::TooMuch => gateway(VALUE, "The request has too many parameters or its body is too long."),
    }
}

/// The one message that the document prints of this code.
fn invalid(name: &str) -> Answer {
    let name = shortened(name);
    let message = format!("An invalid or out-of-range value was supplied for the input parameter {name}.");
    Answer { code: VALUE, kind: Kind::Sender, message: message.into() }
}

/// As much of a text from outside as an answer repeats.
fn shortened(text: &str) -> String {
    /// Characters.
    const REPEATED_MAX: usize = 64;

    text.chars().take(REPEATED_MAX).collect()
}

/// The request asks another service.
pub(super) const fn no_service() -> Answer {
    gateway(NO_SERVICE, "The request is refused: there is no such service.")
}

/// There is no such action, version or method.
pub(super) const fn no_entity() -> Answer {
    gateway(NO_ENTITY, "The request is refused: there is no such action.")
}

/// This vendor's answer to each refusal of a request with those parameters; `None` when they could not be read.
pub(super) fn of(refusal: &Refusal, family: Family, parameters: Option<&Parameters>) -> Answer {
    match refusal {
        // An unknown key and an unknown token are told like a wrong signature: nobody learns which keys there are.
        Refusal::UnknownKey
        | Refusal::BadSignature
        | Refusal::Replayed
        | Refusal::UnknownToken
        | Refusal::StaleToken => family.mismatch(WRONG_SIGNATURE),
        Refusal::StaleRequest => family.stale(),
        Refusal::AddressBanned
        | Refusal::AddressNotAllowed
        | Refusal::AddressBlocked
        | Refusal::AreaBlocked
        | Refusal::AddressUnknown => gateway(DENIED, "Requests from this address are not allowed."),
        Refusal::WrongMethod | Refusal::UnknownPath | Refusal::UnknownRecording | Refusal::UnknownCall => {
            no_entity()
        }

        Refusal::AccountUnusable
        | Refusal::AppDeleted
        | Refusal::SandboxOnly
        | Refusal::AppPaused
        | Refusal::AppUnavailable => service(ACCOUNT, "The account is not available."),
        Refusal::TooManyRequests | Refusal::PlatformBusy => {
            gateway(FLOW, "The request is refused: the rate limit of the API is reached.")
        }
        // The only message of the service that the document prints.
        Refusal::ProductNotOpen | Refusal::RecordingNotOpen => {
            server(NOT_OPEN, "The Account do not call voice service")
        }

        Refusal::BadBody => gateway(VALUE, "The body of the request cannot be read."),
        Refusal::BadField { name } => field(name, parameters),
        Refusal::BadReceiver { name } => invalid(name),
        Refusal::BadNumber { name: _ } => service(MOBILE, "The mobile number is invalid."),
        Refusal::UnknownTemplate | Refusal::TemplateNotApproved => {
            service(TEMPLATE, "The template does not exist or may not be used.")
        }
        Refusal::NoTemplateValues
        | Refusal::TemplateValueCount
        | Refusal::TemplateValue { .. }
        | Refusal::TemplateValueMissing { .. } => {
            service(VALUES, "A value of the template is missing or invalid.")
        }
        Refusal::TemplateValueCharacters | Refusal::ForbiddenWords => {
            service(VALUES, "A value of the template holds characters that are not allowed.")
        }
        Refusal::TemplateValueAddress => service(ADDRESS, "A value of the template must not contain a URL."),
        Refusal::TemplateValueLength => service(VALUE_LENGTH, "A value of the template is too long."),
        Refusal::TextLength => service(TEXT_LENGTH, "The content of the voice message is too long."),
        Refusal::BadCaller
        | Refusal::NumberNotOwned
        | Refusal::NoNumbers
        | Refusal::NumberOfAnotherApp
        | Refusal::BadBoundNumber
        | Refusal::NumberPaused
        | Refusal::OwnerSuspended
        | Refusal::TrunkFailing { .. } => service(CHANNEL, "There is no voice channel for the call."),
        Refusal::LimitReached { of, per } => limit(*of, *per),
        Refusal::UnknownClip { .. }
        | Refusal::ClipNotApproved { .. }
        | Refusal::ClipUnreadable
        | Refusal::OnHold
        | Refusal::AbnormalCalls
        | Refusal::AbnormalDuration
        | Refusal::AbnormalCompletion
        | Refusal::CallerBlocked
        | Refusal::CalleeBlocked
        | Refusal::CalleeNotListed
        | Refusal::ForbiddenHours
        | Refusal::CallerAbroad
        | Refusal::AbroadNotOpen
        | Refusal::AppPortsTaken
        | Refusal::PlatformPortsTaken => service(SENDING, "Sending the voice message failed."),

        Refusal::CoreSlow => server(TIMEOUT, "The service timed out."),
        Refusal::CoreDown => server(INNER, "The service is temporarily unavailable."),
        Refusal::Misfit | Refusal::OurFault => server(UNKNOWN, "Unknown error."),
    }
}

/// A parameter that is missing, or not what it should be.
fn field(name: &'static str, parameters: Option<&Parameters>) -> Answer {
    if parameters.is_some_and(|parameters| parameters.value(name).is_none()) {
        return missing(name);
    }
    match name {
        "Mobile" => service(MOBILE, "The mobile number is invalid."),
        "TplId" => service(TEMPLATE, "The template does not exist or may not be used."),
        "TplParams" => service(VALUES, "A value of the template is missing or invalid."),
        "Code" => service(VERIFY_CODE, "The verification code must have 4 to 8 digits."),
        "PlayTimes" => service(PLAY_TIMES, "The play times must be 1 or 2."),
        "ExtId" => service(EXT_ID, "The ext id must have at most 50 letters and digits."),
        _ => invalid(name),
    }
}

fn limit(of: Counted, per: Window) -> Answer {
    match (of, per) {
        (Counted::App | Counted::Account, Window::Ever) => service(TRIAL, "The trial quota is used up."),
        (Counted::Callee | Counted::Pair, _) => {
            service(FREQUENCY, "The mobile number has had as many voice messages as the console allows.")
        }
        (Counted::App | Counted::Account, Window::Minute | Window::Hour | Window::Day | Window::Month)
        | (Counted::ShownNumber | Counted::Caller | Counted::ServiceNumber, _) => {
            gateway(FLOW, "The request is refused: the rate limit of the API is reached.")
        }
    }
}
