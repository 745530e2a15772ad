//! Figures in Chinese.

use super::piece::{Currency, Date, Figure, Measure, Number, Sign, Time};

/// The words of a figure, in Chinese characters.
pub(super) fn words(figure: &Figure) -> String {
    match figure {
        Figure::Digits(digits) => one_by_one(digits),
        Figure::Number(number) => decimal(number),
        Figure::Count(number) => count(number),
        Figure::Percent(number) => fraction(number, "百分之"),
        Figure::Permille(number) => fraction(number, "千分之"),
        Figure::Money(Currency::Yuan, number) => yuan(number),
        Figure::Money(currency, number) => format!("{}{}", count(&without_zeros(number)), name(*currency)),
        Figure::Measure(number, measure) => quantity(number, *measure),
        Figure::Date(Date { year, month, day }) => {
            format!("{}年{}月{}日", one_by_one(&format!("{year:04}")), small(*month), small(*day))
        }
        Figure::Time(time) => clock(*time),
        Figure::Sign(sign) => self::sign(*sign).to_owned(),
    }
}

/// 10086 as 一零零八六.
fn one_by_one(digits: &str) -> String {
    digits.bytes().map(digit).collect()
}

fn decimal(number: &Number) -> String {
    let minus = if number.minus { "负" } else { "" };
    let point = if number.fraction.is_empty() { "" } else { "点" };
    format!("{minus}{}{point}{}", cardinal(&number.whole), one_by_one(&number.fraction))
}

/// 2个 is 两个.
fn count(number: &Number) -> String {
    match (number.is_two(), number.minus) {
        (true, false) => "两".to_owned(),
        (true, true) => "负两".to_owned(),
        (false, _) => decimal(number),
    }
}

fn fraction(number: &Number, of: &str) -> String {
    let minus = if number.minus { "负" } else { "" };
    format!("{minus}{of}{}", decimal(&Number { minus: false, ..number.clone() }))
}

fn quantity(number: &Number, measure: Measure) -> String {
    let name = match measure {
        Measure::Kilogram => "公斤",
        Measure::Kilometre => "公里",
        Measure::Centimetre => "厘米",
        Measure::Millimetre => "毫米",
        Measure::Millilitre => "毫升",
        Measure::Celsius => "摄氏度",
        Measure::Degree => "度",
    };
    match (measure, number.minus) {
        (Measure::Celsius, true) => {
            format!("零下{}{name}", count(&Number { minus: false, ..number.clone() }))
        }
        _ => format!("{}{name}", count(number)),
    }
}

/// 12.34 is 十二元三角四分; what is finer than a 分 is said as a decimal.
fn yuan(number: &Number) -> String {
    let number = without_zeros(number);
    let (ten_cents, cents) = match number.fraction.as_bytes() {
        [] => (b'0', b'0'),
        [ten] => (*ten, b'0'),
        [ten, cent] => (*ten, *cent),
        _ => return format!("{}元", decimal(&number)),
    };
    let whole = Number { fraction: String::new(), ..number };
    let mut words = match (&*whole.whole, ten_cents, cents) {
        ("0", b'0', b'0') => return "零元".to_owned(),
        ("0", _, _) => if whole.minus { "负" } else { "" }.to_owned(),
        _ => format!("{}元", count(&whole)),
    };
    if ten_cents != b'0' {
        words.extend([digit(ten_cents), '角']);
    } else if cents != b'0' && whole.whole != "0" {
        words.push('零');
    }
    if cents != b'0' {
        words.extend([digit(cents), '分']);
    }
    words
}

const fn name(currency: Currency) -> &'static str {
    match currency {
        Currency::Yuan => "元",
        Currency::Dollar => "美元",
        Currency::HongKongDollar => "港元",
        Currency::Euro => "欧元",
        Currency::Pound => "英镑",
        Currency::Yen => "日元",
    }
}

/// 14:00 is 十四点整, 14:05 is 十四点零五分.
fn clock(time: Time) -> String {
    let hour = if time.hour == 2 { "两".to_owned() } else { small(time.hour) };
    match (time.minute, time.second) {
        (0, None | Some(0)) => format!("{hour}点整"),
        (minute, None | Some(0)) => format!("{hour}点{}分", padded(minute)),
        (minute, Some(second)) => format!("{hour}点{}分{}秒", padded(minute), padded(second)),
    }
}

/// 5 is 零五, 15 is 十五, 0 is 零.
fn padded(number: u8) -> String {
    if (1..10).contains(&number) { format!("零{}", small(number)) } else { small(number) }
}

fn small(number: u8) -> String {
    cardinal(&number.to_string())
}

const fn sign(sign: Sign) -> &'static str {
    match sign {
        Sign::Hash => "井号",
        Sign::Star => "星号",
        Sign::At => "艾特",
        Sign::And => "和",
        Sign::Plus => "加",
        Sign::Equals => "等于",
        Sign::Dot => "点",
        Sign::To => "到",
    }
}

/// At most twelve digits, the first of which is no zero unless it is the only one.
fn cardinal(digits: &str) -> String {
    if digits == "0" {
        return "零".to_owned();
    }
    let mut words = String::new();
    // Groups of four from the right: 亿, 万 and what is left.
    let groups = digits.len().div_ceil(4);
    let mut rest = digits;
    let mut gap = false;
    for group in (0..groups).rev() {
        let (part, behind) = rest.split_at(rest.len() - 4 * group);
        rest = behind;
        if part.bytes().all(|byte| byte == b'0') {
            gap = true;
            continue;
        }
        if gap && !part.starts_with('0') {
            words.push('零');
        }
        below_ten_thousand(part, group, &mut words);
        words.push_str(["", "万", "亿"][group]);
        gap = false;
    }
    // 10 to 19 and their multiples begin with 十.
    words.strip_prefix("一十").map_or_else(|| words.clone(), |rest| format!("十{rest}"))
}

/// Up to four digits, not all of them zero.
fn below_ten_thousand(digits: &str, group: usize, words: &mut String) {
    if group > 0 && digits.trim_start_matches('0') == "2" {
        let zero = if digits.len() > 1 && !words.is_empty() { "零" } else { "" };
        words.push_str(zero);
        words.push('两');
        return;
    }
    let mut zero = false;
    for (at, byte) in digits.bytes().enumerate() {
        let place = digits.len() - 1 - at;
        if byte == b'0' {
            zero = true;
            continue;
        }
        if zero && !words.is_empty() {
            words.push('零');
        }
        zero = false;
        words.push(if byte == b'2' && place == 3 { '两' } else { digit(byte) });
        words.push_str(["", "十", "百", "千"][place]);
    }
}

/// 12.50 is 12.5, 12.00 is 12.
fn without_zeros(number: &Number) -> Number {
    let fraction = number.fraction.trim_end_matches('0').to_owned();
    Number { fraction, ..number.clone() }
}

const fn digit(digit: u8) -> char {
    match digit {
        b'1' => '一',
        b'2' => '二',
        b'3' => '三',
        b'4' => '四',
        b'5' => '五',
        b'6' => '六',
        b'7' => '七',
        b'8' => '八',
        b'9' => '九',
        _ => '零',
    }
}
