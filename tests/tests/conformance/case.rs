//! One row of the conformance matrix: its cause, its request, the answer it must get.

use std::panic::{AssertUnwindSafe, catch_unwind};

use huihu_tests::http::Answer;

use crate::codes;
use crate::scene::Scene;
use crate::town::Kind;

/// A row, or a variant of it.
pub(crate) struct Case {
    /// The row's number in the matrix, with a letter when it has variants. `+` marks what is no row of its own.
    pub(crate) row: &'static str,
    /// What is asked, in words.
    pub(crate) request: String,
    /// What must come of it.
    pub(crate) expected: String,
    /// Where it is played.
    pub(crate) kind: Kind,
    /// What an operator does before.
    pub(crate) given: Option<Given>,
    /// Plays it and tells what came of it.
    play: Box<dyn Fn(&Scene) -> String + Send + Sync>,
}

type Given = Box<dyn Fn(&mut Scene) + Send + Sync>;

/// What came of a case.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) row: &'static str,
    pub(crate) request: String,
    pub(crate) expected: String,
    pub(crate) got: String,
}

/// A case that is played in the open house.
pub(crate) fn case<T: Told>(
    row: &'static str,
    request: impl Into<String>,
    expected: impl Into<String>,
    play: impl Fn(&Scene) -> T + Send + Sync + 'static,
) -> Case {
    Case {
        row,
        request: request.into(),
        expected: expected.into(),
        kind: Kind::Open,
        given: None,
        play: Box::new(move |scene| play(scene).told()),
    }
}

impl Case {
    /// With an app of its own, and what an operator does about it.
    pub(crate) fn given(self, given: impl Fn(&mut Scene) + Send + Sync + 'static) -> Self {
        Self { given: Some(Box::new(given)), ..self }
    }

    /// In other words.
    pub(crate) fn named(self, request: &str) -> Self {
        Self { request: request.to_owned(), ..self }
    }

    /// In another house.
    pub(crate) fn at(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    /// Lets the operator do his part; the reason when that fails.
    pub(crate) fn furnish(&self, scene: &mut Scene) -> Result<(), String> {
        let Some(given) = &self.given else { return Ok(()) };
        catch_unwind(AssertUnwindSafe(|| {
            scene.take_app();
            given(scene);
        }))
        .map_err(|panic| format!("cannot be brought about: {}", reason(&*panic)))
    }

    /// Plays it.
    pub(crate) fn play(&self, scene: &Scene) -> Line {
        let got = catch_unwind(AssertUnwindSafe(|| (self.play)(scene)));
        self.line(got.unwrap_or_else(|panic| format!("breaks off: {}", reason(&*panic))))
    }

    /// Its line with what came of it.
    pub(crate) fn line(&self, got: String) -> Line {
        Line { row: self.row, request: self.request.clone(), expected: self.expected.clone(), got }
    }
}

fn reason(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    let text = text.unwrap_or_else(|| "no reason".to_owned());
    text.lines().next().unwrap_or_default().chars().take(200).collect()
}

/// What can be told in a word or two.
pub(crate) trait Told {
    /// The words.
    fn told(self) -> String;
}

impl Told for String {
    fn told(self) -> String {
        self
    }
}

impl Told for Answer {
    fn told(self) -> String {
        told(&self)
    }
}

/// Several answers, in their order.
impl<const N: usize> Told for [Answer; N] {
    fn told(self) -> String {
        self.iter().map(told).collect::<Vec<_>>().join(", ")
    }
}

/// Status and code, and whatever else is not as documented.
pub(crate) fn told(answer: &Answer) -> String {
    let (status, code, text) = (answer.status, answer.code(), answer.text());
    if status == 301 {
        let leads = answer.headers.get("location").is_some_and(|url| url.starts_with("http"));
        return if leads { "301" } else { "301 that leads nowhere" }.to_owned();
    }
    let mut told = format!("{status} {code}");
    // A login has its own word for success.
    if !codes::is_text_of(status, code, text) && (status, text) != (200, "Succeed") {
        told.push_str(&format!(" {text:?}"));
    }
    if !answer.body["resultcode"].is_string() {
        told.push_str(" whose resultcode is no text");
    }
    told
}
