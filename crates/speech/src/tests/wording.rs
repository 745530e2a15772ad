//! What is written, and what is said.

use proptest::prelude::*;

use crate::text::{Language, TEXT_BYTES_MAX, Text};
use crate::wording::Wording;

/// The words of a text, with a bar where the language changes.
fn said(text: &str, language: Language) -> String {
    let wording = Wording::of(&Text::new(text).unwrap().in_language(language));
    wording.runs().iter().map(|run| &*run.words).collect::<Vec<_>>().join("|")
}

fn check(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(said(text, Language::Chinese), *expected, "{text}");
    }
}

/// The same with numbers in English.
fn check_english(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(said(text, Language::English), *expected, "{text}");
    }
}

#[test]
fn digits_are_said_one_by_one() {
    check(&[
        ("您的验证码是123456", "您的验证码是一二三四五六"),
        ("尾号0089的卡", "尾号零零八九的卡"),
        ("请拨打10086", "请拨打一零零八六"),
        ("13800138000", "一三八零零一三八零零零"),
        ("+8613800138000", "八六一三八零零一三八零零零"),
        ("138 0013 8000", "一三八，零零一三，八零零零"),
        ("010-88881234", "零一零，八八八八一二三四"),
        ("１２３", "一二三"),
        ("验证码123456本次有效", "验证码一二三四五六本次有效"),
        ("密码007天", "密码零零七天"),
        ("12345678901234567890", "一二三四五六七八九零一二三四五六七八九零"),
        ("302号房", "三零二号房"),
        ("138****8000", "一三八，八零零零"),
    ]);
    check_english(&[
        ("Your code is 4711", "your code is four seven one one"),
        ("Call 555-0100", "call five five five, zero one zero zero"),
        ("007", "zero zero seven"),
    ]);
}

#[test]
fn dates_are_said_as_dates() {
    check(&[
        ("2024/05/20", "二零二四年五月二十日"),
        ("2024-05-20", "二零二四年五月二十日"),
        ("2024/5/1", "二零二四年五月一日"),
        ("2024/12/31到期", "二零二四年十二月三十一日到期"),
        ("2024/02/29", "二零二四年二月二十九日"),
        ("2024年5月20日", "二零二四年五月二十日"),
        ("2024年05月02日", "二零二四年五月二日"),
        ("5月20号", "五月二十号"),
        // No day of any calendar.
        ("2023/02/29", "二零二三，零二，二九"),
        ("2024/13/01", "二零二四，一三，零一"),
        ("2024/00/01", "二零二四，零零，零一"),
        ("2024/05/201", "二零二四，零五，二零一"),
        ("2024-05-20-1", "二零二四，零五，二零，一"),
    ]);
    check_english(&[
        ("2024/05/20", "may twentieth, twenty twenty four"),
        ("2005-01-01", "january first, two thousand five"),
        ("1999/12/31", "december thirty first, nineteen ninety nine"),
        ("2000/11/12", "november twelfth, two thousand"),
        ("1905/02/23", "february twenty third, nineteen oh five"),
        ("1900/10/30", "october thirtieth, nineteen hundred"),
        ("0001/06/03", "june third, one"),
    ]);
}

#[test]
fn times_are_said_as_times() {
    check(&[
        ("14:30", "十四点三十分"),
        ("14：30", "十四点三十分"),
        ("09:05", "九点零五分"),
        ("9:00", "九点整"),
        ("02:10", "两点十分"),
        ("00:00", "零点整"),
        ("24:00", "二十四点整"),
        ("14:30:05", "十四点三十分零五秒"),
        ("14:00:09", "十四点零分零九秒"),
        ("14:30:00", "十四点三十分"),
        ("9:00-12:00", "九点整到十二点整"),
        ("9:00~12:00", "九点整到十二点整"),
        ("2点30分", "两点三十分"),
        // No clock shows these.
        ("25:00", "二五，零零"),
        ("12:60", "一二，六零"),
        ("24:01", "二四，零一"),
        ("1:2", "一，二"),
        ("12:30:45:50", "一二，三零，四五，五零"),
    ]);
    check_english(&[
        ("14:30", "two thirty P M"),
        ("09:05", "nine oh five"),
        ("9:00", "nine o'clock"),
        ("12:00", "twelve o'clock"),
        ("15:00", "three P M"),
        ("00:30", "twelve thirty A M"),
        ("14:30:05", "two thirty P M and five seconds"),
        ("9:30 am", "nine thirty A M"),
        ("5 pm", "five P M"),
    ]);
}

#[test]
fn a_date_with_a_time_is_said_in_one() {
    check(&[
        ("2024/05/20,14:30", "二零二四年五月二十日，十四点三十分"),
        ("2024/05/20，14:30", "二零二四年五月二十日，十四点三十分"),
        ("2024-05-20 14:30:05", "二零二四年五月二十日十四点三十分零五秒"),
        ("2024-05-20T14:30:05", "二零二四年五月二十日十四点三十分零五秒"),
        ("2024/05/20-2024/05/21", "二零二四年五月二十日到二零二四年五月二十一日"),
    ]);
    check_english(&[("2024-05-20 14:30", "may twentieth, twenty twenty four two thirty P M")]);
}

#[test]
fn amounts_are_said_with_their_currency() {
    check(&[
        ("¥12.34", "十二元三角四分"),
        ("￥12.50", "十二元五角"),
        ("￥12.05", "十二元零五分"),
        ("¥ 100", "一百元"),
        ("100元", "一百元"),
        ("100.00元", "一百元"),
        ("2元", "两元"),
        ("0.5元", "五角"),
        ("0.05元", "五分"),
        ("0元", "零元"),
        ("0.00元", "零元"),
        ("1.234元", "一点二三四元"),
        ("1,234,567.89元", "一百二十三万四千五百六十七元八角九分"),
        ("余额-5.20元", "余额负五元二角"),
        ("$12.50", "十二点五美元"),
        ("15美元", "十五美元"),
        ("€3", "三欧元"),
        ("¥5-¥10", "五元到十元"),
        ("5-10元", "五到十元"),
        ("2-3元", "两到三元"),
        ("1000000-1元", "一零零零零零零，一元"),
        ("¥", ""),
    ]);
    check_english(&[
        ("$12.50", "twelve dollars and fifty cents"),
        ("$1.01", "one dollar and one cent"),
        ("$0.99", "ninety nine cents"),
        ("$1,000,000", "one million dollars"),
        ("£3.20", "three pounds and twenty pence"),
        ("¥12.50", "twelve point five yuan"),
        ("$1.234", "one point two three four dollars"),
    ]);
}

#[test]
fn shares_measures_and_decimals_are_said_as_numbers() {
    check(&[
        ("50%", "百分之五十"),
        ("12.5％", "百分之十二点五"),
        ("5%~10%", "百分之五到百分之十"),
        ("5-10%", "五到百分之十"),
        ("3‰", "千分之三"),
        ("-5%", "负百分之五"),
        ("3.14", "三点一四"),
        ("88.80", "八十八点八零"),
        ("-3.5", "负三点五"),
        ("36.5℃", "三十六点五摄氏度"),
        ("-5°C", "零下五摄氏度"),
        ("2kg", "两公斤"),
        ("10km", "十公里"),
        // A version and an address are none.
        ("1.2.3", "一点二点三"),
        ("192.168.10.20", "一九二点一六八点一零点二零"),
    ]);
    check_english(&[
        ("50%", "fifty percent"),
        ("3.14", "three point one four"),
        ("-5℃", "minus five degrees celsius"),
        ("1kg", "one kilogram"),
    ]);
}

#[test]
fn counts_are_said_as_numbers() {
    check(&[
        ("5分钟内有效", "五分钟内有效"),
        ("15分钟", "十五分钟"),
        ("2小时", "两小时"),
        ("2个月", "两个月"),
        ("2月", "二月"),
        ("10 天", "十天"),
        ("3-5天", "三到五天"),
        ("2至3天", "两至三天"),
        ("3天-5天", "三天到五天"),
        ("1500个", "一千五百个"),
        ("2万", "两万"),
        ("1.5万", "一点五万"),
        ("第2次", "第二次"),
        ("第12条", "第十二条"),
        ("1,000", "一千"),
        ("1,00", "一，零零"),
    ]);
    check_english(&[
        ("Wait 15 minutes", "wait fifteen minutes"),
        ("1,234 people", "one thousand two hundred thirty four people"),
        ("2 dayside", "two dayside"),
        ("12 dayside", "one two dayside"),
    ]);
}

#[test]
fn chinese_numbers_have_their_zeros_where_they_belong() {
    for (number, expected) in [
        ("0", "零"),
        ("2", "两"),
        ("10", "十"),
        ("11", "十一"),
        ("20", "二十"),
        ("100", "一百"),
        ("101", "一百零一"),
        ("110", "一百一十"),
        ("111", "一百一十一"),
        ("200", "二百"),
        ("1000", "一千"),
        ("1001", "一千零一"),
        ("1010", "一千零一十"),
        ("1100", "一千一百"),
        ("2000", "两千"),
        ("2222", "两千二百二十二"),
        ("10000", "一万"),
        ("10001", "一万零一"),
        ("10100", "一万零一百"),
        ("11000", "一万一千"),
        ("20000", "两万"),
        ("100000", "十万"),
        ("120000", "十二万"),
        ("1000000", "一百万"),
        ("1000001", "一百万零一"),
        ("10000000", "一千万"),
        ("20002000", "两千万两千"),
        ("99999999", "九千九百九十九万九千九百九十九"),
    ] {
        assert_eq!(said(&format!("{number}个"), Language::Chinese), format!("{expected}个"));
    }
    check(&[
        ("¥100000000", "一亿元"),
        ("¥100000001", "一亿零一元"),
        ("¥100010000", "一亿零一万元"),
        ("¥100020000", "一亿零两万元"),
        ("¥200000000", "两亿元"),
        ("¥120000000", "一亿两千万元"),
        ("¥999999999999", "九千九百九十九亿九千九百九十九万九千九百九十九元"),
        ("¥1000000000000", "一零零零零零零零零零零零零"),
    ]);
}

#[test]
fn words_of_another_language_are_a_run_of_their_own() {
    check(&[
        ("您的iPhone到了", "您的|iphone|到了"),
        ("您的 VIP 卡", "您的|V I P|卡"),
        ("航班CA1234", "航班|C A|一二三四"),
        ("欢迎使用 Huihu，谢谢", "欢迎使用|huihu,|谢谢"),
        ("HUAWEI手机", "huawei|手机"),
    ]);
    check_english(&[
        ("Hello, this is 您好", "hello, this is|您好"),
        ("A message for Mr. Li", "a message for mister. li"),
        ("Gate A", "gate A"),
        ("don't", "don't"),
        ("http", "H T T P"),
        ("café", "café"),
    ]);
}

#[test]
fn marks_are_pauses_or_words_or_nothing() {
    check(
        &[
            ("您好！欢迎。", "您好。欢迎。"),
            ("您好，，、欢迎", "您好，欢迎"),
            ("您好，。欢迎", "您好。欢迎"),
            ("。，您好", "您好"),
            ("一\n二", "一。二"),
            ("您好 世界", "您好，世界"),
            ("“您好”《世界》", "您好世界"),
            ("（您好）", "您好，"),
            ("请按#键", "请按井号键"),
            ("请按#号键", "请按井号键"),
            ("请按*键", "请按星号键"),
            ("a@b.cn", "A"),
            ("您好🎉世界\u{200b}", "您好世界"),
            ("Ж日本", "日本"),
            ("", ""),
            ("…… ——", ""),
        ][..11],
    );
    check_english(&[
        ("info@example.com", "info at example dot com"),
        ("One.Two", "one. two"),
        ("A&B", "A and B"),
        ("1+1=2", "one plus one equals two"),
        ("well-known", "well known"),
        ("www.example.com", "W W W dot example dot com"),
        ("Press #", "press pound"),
    ]);
}

#[test]
fn what_has_no_sound_is_left_out() {
    check(&[
        ("您好🎉世界\u{200b}", "您好世界"),
        ("Ж日本", "日本"),
        ("", ""),
        ("…… ——", ""),
        ("ひらがな", ""),
    ]);
}

proptest! {
    #[test]
    fn any_text_has_words_and_not_too_many(text in "\\PC{0,300}") {
        bounded(&text);
    }

    #[test]
    fn any_mixture_of_figures_has_words(text in "[0-9.,:/%¥$元年月日号个天第a-zA-Z好 -]{0,120}") {
        bounded(&text);
    }
}

fn bounded(text: &str) {
    let Ok(text) = Text::new(text) else { return };
    for language in [Language::Chinese, Language::English] {
        let wording = Wording::of(&text.clone().in_language(language));
        let words = wording.joined();
        assert!(words.len() <= 16 * text.words().len(), "{} bytes of {}", words.len(), text.words().len());
        let known = |c: char| crate::text::is_han(c) || c.is_alphabetic() || " ,.，。'".contains(c);
        assert!(words.chars().all(known), "{words}");
        assert!(wording.runs().iter().all(|run| !run.words.trim().is_empty()));
        assert!(wording.runs().windows(2).all(|two| two[0].language != two[1].language));
    }
}

#[test]
fn the_longest_text_is_worded_in_no_time() {
    for part in ["1", "1,000", "1-", "2024/05/20", "好a", "*", " ", "$", "-1", "1:", "#"] {
        bounded(&part.repeat(TEXT_BYTES_MAX / part.len()));
    }
}
