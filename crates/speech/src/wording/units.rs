//! What may stand beside a number and says how it is read.

use super::piece::{Currency, Measure};

/// A word behind a number that makes it a count; otherwise its digits would be said one by one.
#[derive(Debug)]
pub(super) struct Counter {
    word: &'static str,
    /// Digits of the longest number that it counts. A word that may as well begin the next phrase counts short numbers
    /// only, because a longer one is rather a code.
    digits_max: usize,
    /// Whether two of it are 两 and not 二.
    pub(super) pair: bool,
}

/// The counter at the start of `rest`, if it counts a number of so many digits. One space before it is allowed.
pub(super) fn counter(rest: &[char], digits: usize) -> Option<&'static Counter> {
    let rest = rest.strip_prefix(&[' ']).unwrap_or(rest);
    let found = COUNTERS.iter().find(|counter| starts(rest, counter.word))?;
    let whole_word =
        !found.word.is_ascii() || !rest.get(found.word.len()).is_some_and(char::is_ascii_alphanumeric);
    (whole_word && digits <= found.digits_max).then_some(found)
}

/// The currency whose name `rest` begins with, and the characters of the name.
pub(super) fn currency_name(rest: &[char]) -> Option<(Currency, usize)> {
    first(rest, CURRENCY_NAMES)
}

/// The currency of a sign.
pub(super) const fn currency_sign(sign: char) -> Option<Currency> {
    match sign {
        '¥' | '￥' => Some(Currency::Yuan),
        '$' => Some(Currency::Dollar),
        '€' => Some(Currency::Euro),
        '£' => Some(Currency::Pound),
        _ => None,
    }
}

/// The measure that `rest` begins with, and the characters of its sign.
pub(super) fn measure(rest: &[char]) -> Option<(Measure, usize)> {
    let (measure, length) = first(rest, MEASURES)?;
    let alone = !rest.get(length).is_some_and(char::is_ascii_alphanumeric);
    alone.then_some((measure, length))
}

fn first<T: Copy>(rest: &[char], table: &[(&str, T)]) -> Option<(T, usize)> {
    let (name, found) = table.iter().find(|(name, _)| starts(rest, name))?;
    Some((*found, name.chars().count()))
}

fn starts(rest: &[char], word: &str) -> bool {
    let mut rest = rest.iter();
    word.chars().all(|c| rest.next().is_some_and(|other| other.eq_ignore_ascii_case(&c)))
}

const fn pair(word: &'static str, digits_max: usize) -> Counter {
    Counter { word, digits_max, pair: true }
}

const fn plain(word: &'static str, digits_max: usize) -> Counter {
    Counter { word, digits_max, pair: false }
}

/// Of two words with the same beginning the longer comes first.
const COUNTERS: &[Counter] = &[
    pair("分钟", 8),
    pair("小时", 8),
    pair("公里", 8),
    pair("公斤", 8),
    pair("千克", 8),
    pair("平方米", 8),
    pair("星期", 3),
    plain("单元", 2),
    plain("年级", 2),
    pair("秒", 8),
    pair("天", 8),
    pair("个", 8),
    pair("件", 8),
    pair("人", 8),
    pair("万", 8),
    pair("亿", 8),
    pair("块", 8),
    pair("次", 4),
    pair("米", 8),
    pair("千", 2),
    pair("百", 2),
    pair("年", 3),
    pair("点", 2),
    pair("位", 3),
    pair("名", 3),
    pair("周", 3),
    pair("岁", 3),
    pair("家", 3),
    pair("张", 3),
    pair("条", 3),
    pair("台", 3),
    pair("份", 3),
    pair("笔", 3),
    pair("倍", 3),
    pair("站", 2),
    pair("箱", 3),
    pair("袋", 3),
    pair("瓶", 3),
    pair("盒", 3),
    pair("斤", 4),
    pair("度", 3),
    pair("遍", 3),
    pair("种", 3),
    pair("项", 3),
    pair("辆", 3),
    pair("间", 3),
    pair("套", 3),
    plain("月", 2),
    plain("日", 2),
    plain("号", 2),
    plain("时", 2),
    plain("分", 3),
    plain("楼", 2),
    plain("层", 2),
    plain("折", 2),
    plain("seconds", 8),
    plain("second", 8),
    plain("minutes", 8),
    plain("minute", 8),
    plain("hours", 8),
    plain("hour", 8),
    plain("days", 8),
    plain("day", 8),
    plain("weeks", 4),
    plain("week", 4),
    plain("months", 4),
    plain("month", 4),
    plain("years", 4),
    plain("year", 4),
    plain("items", 8),
    plain("item", 8),
    plain("times", 4),
    plain("people", 8),
    plain("points", 8),
    plain("percent", 3),
    plain("degrees", 3),
    plain("dollars", 8),
    plain("yuan", 8),
    plain("miles", 8),
    plain("pieces", 8),
    plain("pm", 2),
    plain("am", 2),
    plain("gb", 4),
    plain("mb", 4),
    plain("g", 3),
    plain("m", 3),
];

const CURRENCY_NAMES: &[(&str, Currency)] = &[
    ("元", Currency::Yuan),
    ("美元", Currency::Dollar),
    ("美金", Currency::Dollar),
    ("港元", Currency::HongKongDollar),
    ("港币", Currency::HongKongDollar),
    ("欧元", Currency::Euro),
    ("英镑", Currency::Pound),
    ("日元", Currency::Yen),
];

/// Of two signs with the same beginning the longer comes first.
const MEASURES: &[(&str, Measure)] = &[
    ("kg", Measure::Kilogram),
    ("km", Measure::Kilometre),
    ("cm", Measure::Centimetre),
    ("mm", Measure::Millimetre),
    ("ml", Measure::Millilitre),
    ("℃", Measure::Celsius),
    ("°C", Measure::Celsius),
    ("°", Measure::Degree),
];
