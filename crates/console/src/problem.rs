//! What went wrong, as RFC 9457 says it: `application/problem+json`.
//!
//! ```json
//! {"type": "urn:huihu:problem:not-found", "title": "Not found", "status": 404,
//!  "detail": "there is no app 7", "fix": "list the apps to see their ids"}
//! ```
//!
//! A handler gives a [`Problem`]; `render.rs` words it in the language of the one who asked.

use std::borrow::Cow;
use std::fmt;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use store::AdminFault;
use utoipa::ToSchema;

/// The kinds of problems. Their names are stable; clients may rely on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No token, or a wrong one.
    Unauthorized,
    /// The path leads nowhere.
    NoSuchPath,
    /// The path is there, but not for this method.
    MethodNotAllowed,
    /// The thing that the path names is not there.
    NotFound,
    /// There is one already, or the thing's state does not allow it.
    Conflict,
    /// The query is not what the route takes.
    InvalidQuery,
    /// The body is no JSON.
    MalformedBody,
    /// The body is JSON of another shape.
    InvalidBody,
    /// A value cannot be used.
    UnusableValue,
    /// The body is written in a way that the route does not read.
    UnsupportedMediaType,
    /// The body is too long.
    BodyTooLarge,
    /// The body did not come in time.
    BodyTooSlow,
    /// The idempotency key is malformed.
    InvalidIdempotencyKey,
    /// The idempotency key was used for another request.
    IdempotencyKeyReused,
    /// The first request with the idempotency key is still at work.
    IdempotencyKeyBusy,
    /// Only a running platform can answer this.
    NotRunning,
    /// A fault of our own; the log has the cause.
    Fault,
}

/// A problem with what is particular to it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) kind: Kind,
    /// What exactly; `None` leaves it to the kind's own sentence.
    pub(crate) detail: Option<Sentence>,
    /// What to do about it; `None` leaves it to the kind.
    pub(crate) fix: Option<Sentence>,
}

/// A sentence in the languages of the API.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Sentence {
    pub(crate) en: Cow<'static, str>,
    pub(crate) zh: Cow<'static, str>,
}

/// The languages that problems are worded in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Language {
    /// English.
    #[default]
    En,
    /// Chinese.
    Zh,
}

/// Why a request was not done, by RFC 9457.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// The kind of problem; stable, to be compared by programs.
    #[serde(rename = "type")]
    #[schema(example = "urn:huihu:problem:not-found")]
    pub(crate) kind: String,
    /// The kind of problem in words.
    pub(crate) title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub(crate) status: u16,
    /// What exactly is wrong.
    pub(crate) detail: String,
    /// What to do about it.
    pub(crate) fix: String,
}

impl Problem {
    /// A problem that needs no more words than its kind has.
    pub(crate) const fn of(kind: Kind) -> Self {
        Self { kind, detail: None, fix: None }
    }

    /// A problem with its own sentences.
    pub(crate) fn new(
        kind: Kind,
        en: impl Into<Cow<'static, str>>,
        zh: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { detail: Some(Sentence { en: en.into(), zh: zh.into() }), ..Self::of(kind) }
    }

    /// With another way out than the kind's.
    pub(crate) fn fix(mut self, en: impl Into<Cow<'static, str>>, zh: impl Into<Cow<'static, str>>) -> Self {
        self.fix = Some(Sentence { en: en.into(), zh: zh.into() });
        self
    }

    /// There is no such thing.
    pub(crate) fn unknown(what: &'static str, name: &str) -> Self {
        Self::new(Kind::NotFound, format!("there is no {what} {name}"), format!("没有{} {name}", noun(what)))
    }

    /// A fault of our own, which is logged here and nowhere else.
    pub(crate) fn fault(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(cause, "a request of an operator failed");
        Self::of(Kind::Fault)
    }

    /// The body in a language.
    pub(crate) fn body(&self, language: Language) -> ProblemBody {
        let words = self.kind.words();
        let pick =
            |sentence: &Option<Sentence>, en: &'static str, zh: &'static str| match (sentence, language) {
                (Some(sentence), Language::En) => sentence.en.to_string(),
                (Some(sentence), Language::Zh) => sentence.zh.to_string(),
                (None, Language::En) => en.to_owned(),
                (None, Language::Zh) => zh.to_owned(),
            };
        ProblemBody {
            kind: format!("urn:huihu:problem:{}", words.name),
            title: pick(&None, words.title.0, words.title.1),
            status: words.status.as_u16(),
            detail: pick(&self.detail, words.detail.0, words.detail.1),
            fix: pick(&self.fix, words.fix.0, words.fix.1),
        }
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Details may hold what a client wrote.
        fmt::Debug::fmt(&self.kind, f)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.kind.words().status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<AdminFault> for Problem {
    fn from(fault: AdminFault) -> Self {
        match fault {
            AdminFault::Unknown { what, name, hint } => {
                Self::unknown(what, &name).fix(hint, format!("列出现有的{}，再用正确的名称", noun(what)))
            }
            AdminFault::Exists { what, name, hint } => Self::new(
                Kind::Conflict,
                format!("{what} {name} exists already"),
                format!("{} {name} 已经存在", noun(what)),
            )
            .fix(hint, "换一个名称，或使用已有的那个"),
            AdminFault::Unusable { what, name, rule } => Self::new(
                Kind::UnusableValue,
                format!("{name} cannot be used as a {what}"),
                format!("{name} 不能用作{}", noun(what)),
            )
            .fix(rule.clone(), format!("规则：{rule}")),
            AdminFault::Store(fault) => Self::fault(&fault),
        }
    }
}

/// A kind's name, status and sentences, each in English and in Chinese.
pub(crate) struct Words {
    pub(crate) name: &'static str,
    pub(crate) status: StatusCode,
    pub(crate) title: (&'static str, &'static str),
    detail: (&'static str, &'static str),
    fix: (&'static str, &'static str),
}

impl Kind {
    #[cfg(test)]
    const ALL: [Self; 17] = [
        Self::Unauthorized,
        Self::NoSuchPath,
        Self::MethodNotAllowed,
        Self::NotFound,
        Self::Conflict,
        Self::InvalidQuery,
        Self::MalformedBody,
        Self::InvalidBody,
        Self::UnusableValue,
        Self::UnsupportedMediaType,
        Self::BodyTooLarge,
        Self::BodyTooSlow,
        Self::InvalidIdempotencyKey,
        Self::IdempotencyKeyReused,
        Self::IdempotencyKeyBusy,
        Self::NotRunning,
        Self::Fault,
    ];

    pub(crate) const fn words(self) -> Words {
        match self {
            Self::Unauthorized => Words {
                name: "unauthorized",
                status: StatusCode::UNAUTHORIZED,
                title: ("Unauthorized", "未认证"),
                detail: ("this request carries no valid token", "请求没有携带有效的令牌"),
                fix: (
                    "send `Authorization: Bearer TOKEN` with the token of operator.key in the data directory",
                    "请发送 `Authorization: Bearer TOKEN`，令牌在数据目录的 operator.key 文件中",
                ),
            },
            Self::NoSuchPath => Words {
                name: "no-such-path",
                status: StatusCode::NOT_FOUND,
                title: ("No such path", "没有此路径"),
                detail: ("the API has nothing at this path", "接口没有这个路径"),
                fix: ("see /api/v1/openapi.json for all paths", "所有路径见 /api/v1/openapi.json"),
            },
            Self::MethodNotAllowed => Words {
                name: "method-not-allowed",
                status: StatusCode::METHOD_NOT_ALLOWED,
                title: ("Method not allowed", "方法不允许"),
                detail: ("the path exists, but not for this method", "路径存在，但不支持这个方法"),
                fix: ("the Allow header names the methods", "可用的方法见 Allow 头"),
            },
            Self::NotFound => Words {
                name: "not-found",
                status: StatusCode::NOT_FOUND,
                title: ("Not found", "未找到"),
                detail: ("what the request names is not there", "请求所指的对象不存在"),
                fix: ("list what is there to find the right name", "列出现有的对象以找到正确的名称"),
            },
            Self::Conflict => Words {
                name: "conflict",
                status: StatusCode::CONFLICT,
                title: ("Conflict", "冲突"),
                detail: ("the request does not fit what is there", "请求与现有状态冲突"),
                fix: ("look at what is there, then decide anew", "请查看现有状态后再决定"),
            },
            Self::InvalidQuery => Words {
                name: "invalid-query",
                status: StatusCode::BAD_REQUEST,
                title: ("Invalid query", "查询参数有误"),
                detail: ("the query is not what this route takes", "查询参数不是此接口所接受的"),
                fix: (
                    "see the route's parameters in /api/v1/openapi.json",
                    "参数说明见 /api/v1/openapi.json",
                ),
            },
            Self::MalformedBody => Words {
                name: "malformed-body",
                status: StatusCode::BAD_REQUEST,
                title: ("Malformed body", "请求体不是 JSON"),
                detail: ("the body is no JSON", "请求体不是合法的 JSON"),
                fix: ("send one JSON value in UTF-8", "请发送一个 UTF-8 编码的 JSON 值"),
            },
            Self::InvalidBody => Words {
                name: "invalid-body",
                status: StatusCode::UNPROCESSABLE_ENTITY,
                title: ("Invalid body", "请求体内容有误"),
                detail: (
                    "the body has another shape than this route takes",
                    "请求体的结构不是此接口所接受的",
                ),
                fix: ("see the route's body in /api/v1/openapi.json", "请求体说明见 /api/v1/openapi.json"),
            },
            Self::UnusableValue => Words {
                name: "unusable-value",
                status: StatusCode::UNPROCESSABLE_ENTITY,
                title: ("Unusable value", "取值不可用"),
                detail: ("a value cannot be used", "有取值不可用"),
                fix: ("see the field's rule in /api/v1/openapi.json", "字段规则见 /api/v1/openapi.json"),
            },
            Self::UnsupportedMediaType => Words {
                name: "unsupported-media-type",
                status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
                title: ("Unsupported media type", "不支持的内容类型"),
                detail: ("this route does not read that content type", "此接口不读取这种内容类型"),
                fix: (
                    "send `Content-Type: application/json`, or audio/wav for a voice file",
                    "请发送 `Content-Type: application/json`；上传语音文件用 audio/wav",
                ),
            },
            Self::BodyTooLarge => Words {
                name: "body-too-large",
                status: StatusCode::PAYLOAD_TOO_LARGE,
                title: ("Body too large", "请求体过大"),
                detail: ("the body is longer than this API reads", "请求体超过接口读取的上限"),
                fix: ("send at most 1 MiB of JSON, or 8 MiB of sound", "JSON 最多 1 MiB，语音文件最多 8 MiB"),
            },
            Self::BodyTooSlow => Words {
                name: "body-too-slow",
                status: StatusCode::REQUEST_TIMEOUT,
                title: ("Body too slow", "请求体超时"),
                detail: ("the body did not come in time, or broke off", "请求体没有及时到达，或中途断开"),
                fix: ("send it again over a better connection", "请换更好的网络重新发送"),
            },
            Self::InvalidIdempotencyKey => Words {
                name: "invalid-idempotency-key",
                status: StatusCode::BAD_REQUEST,
                title: ("Invalid idempotency key", "幂等键有误"),
                detail: ("the Idempotency-Key cannot be used", "Idempotency-Key 不可用"),
                fix: (
                    "use 1 to 128 visible ASCII characters, such as a UUID",
                    "请用 1 到 128 个可见 ASCII 字符，例如 UUID",
                ),
            },
            Self::IdempotencyKeyReused => Words {
                name: "idempotency-key-reused",
                status: StatusCode::UNPROCESSABLE_ENTITY,
                title: ("Idempotency key reused", "幂等键重复使用"),
                detail: (
                    "this Idempotency-Key came with another request before",
                    "此 Idempotency-Key 曾用于另一个请求",
                ),
                fix: ("use a new key for a new request", "新的请求请用新的键"),
            },
            Self::IdempotencyKeyBusy => Words {
                name: "idempotency-key-busy",
                status: StatusCode::CONFLICT,
                title: ("Idempotency key busy", "幂等键处理中"),
                detail: (
                    "the first request with this Idempotency-Key is not done yet",
                    "使用此 Idempotency-Key 的第一个请求尚未完成",
                ),
                fix: ("wait a moment and send it again", "请稍候再发送"),
            },
            Self::NotRunning => Words {
                name: "not-running",
                status: StatusCode::CONFLICT,
                title: ("Not running", "平台未运行"),
                detail: ("only a running platform can answer this", "只有运行中的平台才能回答"),
                fix: ("start `huihu serve` on this data directory", "请在此数据目录上启动 `huihu serve`"),
            },
            Self::Fault => Words {
                name: "fault",
                status: StatusCode::INTERNAL_SERVER_ERROR,
                title: ("A fault of our own", "内部故障"),
                detail: ("something failed inside the platform", "平台内部出现故障"),
                fix: ("the platform's log has the cause", "原因见平台日志"),
            },
        }
    }
}

/// The Chinese word of a kind of thing.
fn noun(what: &'static str) -> &'static str {
    let known = NOUNS.iter().find(|(en, _)| *en == what);
    known.map_or(what, |(_, zh)| *zh)
}

const NOUNS: &[(&str, &str)] = &[
    ("account name", "账户名"),
    ("app", "应用"),
    ("app name", "应用名"),
    ("ban", "封禁"),
    ("call", "呼叫"),
    ("enterprise", "企业"),
    ("further value", "更多的值"),
    ("key", "密钥"),
    ("key to be replaced", "待轮换的密钥"),
    ("kind of a template", "模板类型"),
    ("kind of call in reports", "报告中的呼叫类型"),
    ("life of a temporary key", "临时密钥的有效期"),
    ("limit", "限额"),
    ("list of addresses", "地址段列表"),
    ("listed value", "名单中的值"),
    ("note", "备注"),
    ("number", "号码"),
    ("number of days", "天数"),
    ("parked or delivered push", "已搁置或已送达的推送"),
    ("password", "密码"),
    ("push", "推送"),
    ("share of answered calls", "接通率"),
    ("share of short calls", "短通话比例"),
    ("sound of the voice file", "语音文件的声音"),
    ("span of hours", "时段"),
    ("sub-enterprise", "子企业"),
    ("sub-enterprise's name", "子企业名"),
    ("template", "模板"),
    ("template that is spoken", "可播报的模板"),
    ("template's name", "模板名"),
    ("template's pace", "模板语速"),
    ("template's text", "模板内容"),
    ("voice file", "语音文件"),
    ("voice file's name", "语音文件名"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name_of_its_own_and_words_in_both_languages() {
        let mut names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.words().name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            let (en, zh) = (Problem::of(kind).body(Language::En), Problem::of(kind).body(Language::Zh));
            assert_eq!(en.kind, zh.kind);
            for (en, zh) in [(en.title, zh.title), (en.detail, zh.detail), (en.fix, zh.fix)] {
                assert!(en.is_ascii() && !zh.is_ascii(), "{en} {zh}");
            }
        }
    }
}
