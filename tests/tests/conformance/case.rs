//! One row of the conformance matrix: its cause, its request, the answer it must get.

use std::panic::{AssertUnwindSafe, catch_unwind};

use huihu_tests::http::Answer;

use crate::house::Stage;

/// A row, or a variant of it.
pub(crate) struct Case<S: Stage> {
    /// The row's number in the matrix, with a letter when it has variants. `+` marks what is no row of its own.
    pub(crate) row: &'static str,
    /// What is asked, in words.
    pub(crate) request: String,
    /// What must come of it.
    pub(crate) expected: String,
    /// Where it is played.
    pub(crate) kind: S::Kind,
    /// What an operator does before.
    pub(crate) given: Option<Given<S>>,
    /// Plays it and tells what came of it.
    play: Play<S>,
}

type Given<S> = Box<dyn Fn(&mut S) + Send + Sync>;

type Play<S> = Box<dyn Fn(&S) -> String + Send + Sync>;

/// What came of a case.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) row: &'static str,
    pub(crate) request: String,
    pub(crate) expected: String,
    pub(crate) got: String,
}

impl<S: Stage> Case<S> {
    /// A case that is played in the usual house.
    pub(crate) fn new<T: Told<S>>(
        row: &'static str,
        request: impl Into<String>,
        expected: impl Into<String>,
        play: impl Fn(&S) -> T + Send + Sync + 'static,
    ) -> Self {
        Self {
            row,
            request: request.into(),
            expected: expected.into(),
            kind: S::Kind::default(),
            given: None,
            play: Box::new(move |scene| play(scene).told()),
        }
    }

    /// With an app of its own, and what an operator does about it.
    pub(crate) fn given(self, given: impl Fn(&mut S) + Send + Sync + 'static) -> Self {
        Self { given: Some(Box::new(given)), ..self }
    }

    /// In other words.
    pub(crate) fn named(self, request: &str) -> Self {
        Self { request: request.to_owned(), ..self }
    }

    /// In another house.
    pub(crate) fn at(self, kind: S::Kind) -> Self {
        Self { kind, ..self }
    }

    /// Lets the operator do his part; the reason when that fails.
    pub(crate) fn furnish(&self, scene: &mut S) -> Result<(), String> {
        let Some(given) = &self.given else { return Ok(()) };
        catch_unwind(AssertUnwindSafe(|| {
            scene.take_app();
            given(scene);
        }))
        .map_err(|panic| format!("cannot be brought about: {}", reason(&*panic)))
    }

    /// Plays it.
    pub(crate) fn play(&self, scene: &S) -> Line {
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
pub(crate) trait Told<S> {
    /// The words.
    fn told(self) -> String;
}

impl<S> Told<S> for String {
    fn told(self) -> String {
        self
    }
}

impl<S: Stage> Told<S> for Answer {
    fn told(self) -> String {
        S::told(&self)
    }
}

/// Several answers, in their order.
impl<S: Stage, const N: usize> Told<S> for [Answer; N] {
    fn told(self) -> String {
        self.iter().map(S::told).collect::<Vec<_>>().join(", ")
    }
}

/// An answer that came again and again, or all that came.
pub(crate) fn repeated(answers: &[String]) -> String {
    match answers {
        [first, others @ ..] if others.iter().all(|other| other == first) => {
            format!("{first} {} times", answers.len())
        }
        _ => answers.join(", "),
    }
}
