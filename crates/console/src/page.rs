//! Pages of lists: `?limit=…&cursor=…` in, `{"items": […], "next": "…"}` out.
//!
//! A cursor is the place after the last item, not a number of items to skip: what is added or removed meanwhile neither
//! repeats an item nor loses one.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::problem::{Kind, Problem};

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The items, in order.
    pub(crate) items: Vec<T>,
    /// The cursor of the next page; null when this is the last one.
    #[schema(required, nullable)]
    pub(crate) next: Option<String>,
}

/// Which page of a list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageQuery {
    /// Items on the page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub(crate) limit: Option<u16>,
    /// The `next` of the page before.
    pub(crate) cursor: Option<String>,
}

/// A page that was asked for: after which item, and how many.
#[derive(Debug)]
pub(crate) struct Ask<P> {
    pub(crate) after: Option<P>,
    limit: u64,
}

impl PageQuery {
    /// What is asked for, where `P` tells an item's place.
    pub(crate) fn read<P: DeserializeOwned>(&self) -> Result<Ask<P>, Problem> {
        Ask::new(self.limit, self.cursor.as_deref())
    }
}

impl<P: DeserializeOwned> Ask<P> {
    /// Reads limit and cursor.
    pub(crate) fn new(limit: Option<u16>, cursor: Option<&str>) -> Result<Self, Problem> {
        let limit = limit.unwrap_or(LIMIT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            let en = format!("limit is {limit} and may be 1 to {LIMIT_MAX}");
            return Err(Problem::new(
                Kind::InvalidQuery,
                en,
                format!("limit 为 {limit}，允许 1 到 {LIMIT_MAX}"),
            ));
        }
        let foreign = || {
            Problem::new(Kind::InvalidQuery, "the cursor is not one of this list", "cursor 不属于此列表").fix(
                "use the `next` of the page before, or none for the first page",
                "请使用上一页的 next；第一页不带 cursor",
            )
        };
        let place = |cursor: &str| {
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
            serde_json::from_slice(&bytes).ok()
        };
        let after = cursor.map(|cursor| place(cursor).ok_or_else(foreign)).transpose()?;
        Ok(Self { after, limit: limit.into() })
    }
}

impl<P> Ask<P> {
    /// How many items the page may have.
    pub(crate) const fn limit(&self) -> u64 {
        self.limit
    }

    /// How many items to read: one more than shown, to see whether there is a next page.
    pub(crate) const fn reach(&self) -> u64 {
        self.limit + 1
    }
}

impl<P: Serialize> Ask<P> {
    /// The page of what was read; `place` tells where an item stands.
    pub(crate) fn page<R, T>(
        &self,
        mut rows: Vec<R>,
        place: impl Fn(&R) -> P,
        show: impl FnMut(R) -> T,
    ) -> Page<T> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).and_then(|last| cursor(&place(last)));
        Page { items: rows.into_iter().map(show).collect(), next }
    }
}

/// The cursor of the page after an item that stands there.
pub(crate) fn cursor(place: &impl Serialize) -> Option<String> {
    // Places are numbers and texts, which always become JSON.
    Some(BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(place).ok()?))
}

/// Items on a page when nobody says.
const LIMIT: u16 = 50;

/// Items on a page at most.
const LIMIT_MAX: u16 = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(ask: &Ask<u32>) -> Vec<u32> {
        let first = ask.after.map_or(0, |after| after + 1);
        (first..7).take(usize::try_from(ask.reach()).unwrap()).collect()
    }

    #[test]
    fn pages_follow_each_other_to_the_end() {
        let (mut cursor, mut seen) = (None, Vec::new());
        loop {
            let ask = Ask::<u32>::new(Some(3), cursor.as_deref()).unwrap();
            let page = ask.page(numbers(&ask), |number| *number, |number| number);
            seen.push(page.items);
            match page.next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        assert_eq!(seen, [vec![0, 1, 2], vec![3, 4, 5], vec![6]]);
    }

    #[test]
    fn what_is_no_page_is_refused() {
        for (limit, cursor) in
            [(Some(0), None), (Some(201), None), (None, Some("x")), (None, Some("InR4dCI"))]
        {
            assert_eq!(Ask::<u32>::new(limit, cursor).unwrap_err().kind, Kind::InvalidQuery);
        }
    }
}
