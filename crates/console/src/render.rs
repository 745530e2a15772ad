//! The outermost layer: words every problem in the language of the one who asked.

use axum::extract::Request;
use axum::http::header::{ACCEPT_LANGUAGE, CONTENT_LANGUAGE, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::problem::{Language, Problem};

/// Lets the request pass, and gives the answer its body if it is a problem.
pub(crate) async fn render(request: Request, next: Next) -> Response {
    let language = language(request.headers());
    let mut response = next.run(request).await;
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    let (mut head, _) = response.into_parts();
    head.headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    let tag = match language {
        Language::En => "en",
        Language::Zh => "zh",
    };
    head.headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(tag));
    match serde_json::to_vec(&problem.body(language)) {
        // The length of the empty body that is replaced must not stay.
        Ok(body) => {
            head.headers.remove(axum::http::header::CONTENT_LENGTH);
            (head, body).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The language that is wanted most of those that we have (RFC 9110 section 12.5.4); English when none is.
pub(crate) fn language(headers: &HeaderMap) -> Language {
    let wanted = headers.get_all(ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
    let ranges = wanted.flat_map(|list| list.split(',')).filter_map(range);
    // The first of equals wins, so the later one must be better to take its place.
    let best = ranges.fold(None, |best: Option<(Language, f32)>, (language, weight)| match best {
        Some((_, heavier)) if heavier >= weight => best,
        _ => Some((language, weight)),
    });
    best.filter(|(_, weight)| *weight > 0.0).map_or_else(Language::default, |(language, _)| language)
}

fn range(text: &str) -> Option<(Language, f32)> {
    let (tag, parameters) = text.split_once(';').unwrap_or((text, ""));
    let primary = tag.trim().split('-').next().unwrap_or("");
    let language = match primary.to_ascii_lowercase().as_str() {
        "en" | "*" => Language::En,
        "zh" => Language::Zh,
        _ => return None,
    };
    let weight =
        parameters.trim().strip_prefix("q=").map_or(Some(1.0), |weight| weight.trim().parse().ok())?;
    Some((language, weight))
}

/// The media type of RFC 9457.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_that_is_wanted_most_is_spoken() {
        for (wanted, spoken) in [
            ("", Language::En),
            ("fr", Language::En),
            ("zh", Language::Zh),
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Zh),
            ("en,zh;q=0.9", Language::En),
            ("en;q=0.1, zh-Hans;q=0.2", Language::Zh),
            ("zh;q=0", Language::En),
            ("zh;q=x", Language::En),
            ("*", Language::En),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT_LANGUAGE, wanted.parse().unwrap())]);
            assert_eq!(language(&headers), spoken, "{wanted}");
        }
    }
}
