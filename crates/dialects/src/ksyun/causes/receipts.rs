//! The vendor's receipt codes: what a report's `ErrCode` may say, what it means and what to do about it.
//!
//! The document lists 114 of five families: `DH:`, the internal codes of a third party's platform, SIP statuses, and
//! two families of carriers. We write those of `DH:` and of SIP only; the others are here so that whoever meets one in
//! an old report can look it up.

/// A receipt code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The code as the document prints it.
    pub code: &'static str,
    /// What it means.
    pub meaning: Words,
    /// What to do about it; empty where there is nothing to do.
    pub advice: Words,
}

/// The same in two languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// As the document prints it.
    pub chinese: &'static str,
    /// In our own words.
    pub english: &'static str,
}

/// The receipt of that code; `None` when the document has none.
pub(super) fn of(code: &str) -> Option<&'static Receipt> {
    RECEIPTS.iter().find(|receipt| receipt.code == code)
}

const fn receipt(code: &'static str, meaning: Words, advice: Words) -> Receipt {
    Receipt { code, meaning, advice }
}

const fn words(chinese: &'static str, english: &'static str) -> Words {
    Words { chinese, english }
}

const CALLER: Words = words("建议核对主叫拨号状态是否正常", "Check the state of the caller's dialling.");
const NONE: Words = words("", "");
const CALLEE: Words = words("建议核对被叫终端状态是否正常", "Check the state of the called telephone.");
const NUMBER: Words = words("建议核对被叫号码", "Check the called number.");
const REASON: Words = words("建议联系平台核查原因", "Ask the platform for the reason.");
const VOICE: Words = words(
    "建议检查放音文件ID，如正常联系平台核查原因",
    "Check the voice file's id; if it is right, ask the platform for the reason.",
);
const KEYS: Words = words("建议核对被叫按键事件是否正常", "Check the keys that the called party pressed.");
const DIALLING: Words = words("建议核对主叫拨号是否正常", "Check how the caller dials.");
const WORDS: Words = words(
    "建议检查放音文件，去掉敏感词或联系平台核查敏感词",
    "Check the voice file: take the forbidden word out, or ask the platform which one it is.",
);
const BLACKLIST: Words = words(
    "建议征求用户意见后联系平台解除黑名单",
    "Ask the user, then have the platform take the number off its blacklist.",
);
const SLOWER: Words = words("建议降低发送频率", "Send less often.");
const PLATFORM: Words = words("建议联系平台核查", "Ask the platform.");
const TOP_UP: Words = words("建议充值后重试", "Top up and try again.");
const SWITCH_ON: Words = words("建议用户开机", "The user should switch the telephone on.");
const CALLEE_TOP_UP: Words = words("建议用户充值后重试", "The user should top up; try again then.");
const CALLEE_SERVICE: Words = words(
    "建议用户开机、充值或开通服务后试",
    "The user should switch the telephone on, top up or open the service; try again then.",
);
const CALLEE_THEN_PLATFORM: Words = words(
    "建议核对被叫终端状态是否正常，如正常联系平台核查原因",
    "Check the state of the called telephone; if it is right, ask the platform for the reason.",
);
const CALLER_THEN_PLATFORM: Words = words(
    "建议核对主叫拨号状态是否正常，如正常联系平台核查原因",
    "Check how the caller dials; if it is right, ask the platform for the reason.",
);
const NETWORK: Words = words("建议检查网络", "Check the network.");
const FEWER_REQUESTS: Words = words("建议降低请求频率", "Make fewer requests.");
const ACCOUNT: Words = words("建议核查账号", "Check the account.");
const SHOWN: Words = words("建议检查显号", "Check the number to be shown.");
const VOICE_SERVICE: Words =
    words("建议用户开通服务后试", "The user should open the voice service; try again then.");
const LATER: Words = words("建议稍后重试", "Try again later.");
const AREA_OR_FREQUENCY: Words = words(
    "建议核对被叫号码是否在屏蔽地区/建议征求用户意见后联系平台解除黑名单/建议降低发送频率",
    "Check whether the called number is of a blocked area; ask the user, then have the platform take the number off its blacklist; send less often.",
);
const FREQUENCY_OR_CALLEE: Words = words(
    "建议降低发送频率/建议征求用户意见后联系平台解除黑名单/建议核对被叫终端状态是否正常",
    "Send less often; ask the user, then have the platform take the number off its blacklist; check the state of the called telephone.",
);

/// The table, in the document's order.
pub const RECEIPTS: &[Receipt] = &[
    receipt("DH:0000", words("呼叫成功", "The call succeeded."), NONE),
    receipt("DH:0001", words("被叫忙", "The called party is busy."), CALLEE),
    receipt("DH:0002", words("被叫空号", "The called number does not exist."), NUMBER),
    receipt("DH:0003", words("呼叫超时，无振铃", "The call timed out without ringing."), REASON),
    receipt("DH:0004", words("有振铃，无人接听", "It rang, nobody answered."), CALLEE),
    receipt(
        "DH:0005",
        words(
            "放音失败，放音文件不存在或格式不正确",
            "Playing failed: the voice file does not exist or has a wrong form.",
        ),
        VOICE,
    ),
    receipt("DH:0006", words("没有接收到按键", "No key was received."), KEYS),
    receipt(
        "DH:0007",
        words("呼叫接通后，被叫挂机", "The called party hung up after the call was connected."),
        CALLEE,
    ),
    receipt(
        "DH:0008",
        words("被叫还未接时，主叫挂机", "The caller hung up before the called party answered."),
        DIALLING,
    ),
    receipt("DH:0009", words("放音文本含有敏感词", "The text to be played holds a forbidden word."), WORDS),
    receipt("DH:0010", words("号码为黑名单", "The number is on the blacklist."), BLACKLIST),
    receipt("DH:0011", words("单个号码相同内容限制", "The number has had this content too often."), SLOWER),
    receipt("DH:0012", words("单个号码次数限制", "The number was called too often."), SLOWER),
    receipt("DH:0013", words("主叫禁呼", "The caller may not call."), PLATFORM),
    receipt("DH:0014", words("主叫限制", "The caller is restricted."), PLATFORM),
    receipt("DH:0015", words("主叫未拨号", "The caller has not dialled."), DIALLING),
    receipt("DH:0016", words("主叫欠费", "The caller is in arrears."), TOP_UP),
    receipt("DH:0017", words("被叫拒接", "The called party refused."), CALLEE),
    receipt("DH:0018", words("被叫关机", "The called telephone is switched off."), SWITCH_ON),
    receipt("DH:0019", words("被叫停机", "The called number is out of service."), CALLEE_TOP_UP),
    receipt(
        "DH:0020",
        words("被叫不在服务区", "The called telephone is out of the service area."),
        CALLEE_SERVICE,
    ),
    receipt("DH:0021", words("被叫禁呼", "The called party may not be called."), CALLEE_THEN_PLATFORM),
    receipt("DH:0023", words("手机号码错误", "The mobile number is wrong."), NUMBER),
    receipt("DH:0027", words("码号不正确", "The number is not correct."), NUMBER),
    receipt("DH:0028", words("主叫忙", "The caller is busy."), CALLER_THEN_PLATFORM),
    receipt("DH:0029", words("外呼号码被过滤", "The number was filtered."), PLATFORM),
    receipt(
        "DH:9999",
        words(
            "app管家拦截/用户拒接/网关超时",
            "An app held the call back, the user refused, or the gateway timed out.",
        ),
        CALLEE_THEN_PLATFORM,
    ),
    receipt("101", words("主叫挂断", "The caller hung up."), CALLER_THEN_PLATFORM),
    receipt("102", words("被叫挂断", "The called party hung up."), CALLEE),
    receipt("103", words("接口结束呼叫", "The call was ended through the interface."), PLATFORM),
    receipt("104", words("主叫取消呼叫", "The caller cancelled the call."), CALLER_THEN_PLATFORM),
    receipt("106", words("被叫无法接通", "The called party cannot be connected."), CALLEE),
    receipt("108", words("被叫拒接", "The called party refused."), CALLEE),
    receipt("110", words("被叫无人接听", "The called party did not answer."), CALLEE),
    receipt("9001", words("其他错误", "Other error."), PLATFORM),
    receipt("9002", words("网络异常", "The network is abnormal."), NETWORK),
    receipt("1012", words("请求处理超时", "The request timed out."), PLATFORM),
    receipt("2038", words("请求过于频繁", "Too many requests."), FEWER_REQUESTS),
    receipt("5000", words("未知错误", "Unknown error."), PLATFORM),
    receipt("5099", words("号码为空", "The number is empty."), NUMBER),
    receipt("5100", words("号码不存在", "The number does not exist."), NUMBER),
    receipt("5110", words("号码和号码池未关联", "The number and the number pool are not bound."), PLATFORM),
    receipt("5111", words("通道不存在", "The channel does not exist."), PLATFORM),
    receipt("5112", words("黑名单列表号码", "The number is on the blacklist."), BLACKLIST),
    receipt("5113", words("网关不存在", "The gateway does not exist."), PLATFORM),
    receipt("5114", words("余额不足", "The balance is insufficient."), TOP_UP),
    receipt("5121", words("通道未启用", "The channel is not enabled."), PLATFORM),
    receipt("5122", words("通道停用", "The channel is stopped."), PLATFORM),
    receipt("5123", words("号码停用", "The number is stopped."), NUMBER),
    receipt("5124", words("号码池不存在", "The number pool does not exist."), PLATFORM),
    receipt("5125", words("被叫号码地区不支持", "The area of the called number is not supported."), PLATFORM),
    receipt("5130", words("绑定号码未找到", "The bound number was not found."), PLATFORM),
    receipt("5132", words("IVR校验失败", "The IVR check failed."), PLATFORM),
    receipt("5133", words("绑定关系已经存在", "The binding exists already."), PLATFORM),
    receipt("5142", words("内部网关不可用", "The internal gateway is unavailable."), PLATFORM),
    receipt("5157", words("解除绑定失败", "The binding could not be removed."), PLATFORM),
    receipt("5158", words("黑名单的关联关系已设置", "The blacklist's relation is set already."), PLATFORM),
    receipt(
        "5159",
        words("黑名单的关联关系已删除", "The blacklist's relation is deleted already."),
        PLATFORM,
    ),
    receipt("5160", words("号码为黑名单号码", "The number is a blacklisted number."), BLACKLIST),
    receipt("5161", words("号码有效校验失败", "The check of the number failed."), PLATFORM),
    receipt("5162", words("账号状态异常", "The state of the account is abnormal."), ACCOUNT),
    receipt("5197", words("账号未找到", "The account was not found."), ACCOUNT),
    receipt(
        "5198",
        words("主被叫显号不能同时为空", "The shown numbers of both parties must not be empty at once."),
        SHOWN,
    ),
    receipt("5203", words("会话不存在", "The session does not exist."), PLATFORM),
    receipt("5204", words("呼叫不存在", "The call does not exist."), PLATFORM),
    receipt("5206", words("内部挂断", "Hung up internally."), PLATFORM),
    receipt("5207", words("内部挂断", "Hung up internally."), PLATFORM),
    receipt("5208", words("通道类型错误", "The type of the channel is wrong."), PLATFORM),
    receipt("5209", words("空号", "No such number."), NUMBER),
    receipt("5210", words("关机", "Switched off."), SWITCH_ON),
    receipt("5211", words("无法接通", "Cannot be connected."), CALLEE),
    receipt("5212", words("无人接听", "No answer."), CALLEE),
    receipt("5213", words("拒接", "Refused."), CALLEE),
    receipt("5214", words("用户忙", "The user is busy."), CALLEE),
    receipt("5215", words("停机", "Out of service."), CALLEE_TOP_UP),
    receipt("5216", words("正在通话", "The user is in a call."), CALLEE),
    receipt("5217", words("呼入限制", "Incoming calls are restricted."), PLATFORM),
    receipt("5218", words("长途限制", "Long-distance calls are restricted."), PLATFORM),
    receipt("5219", words("加拨长途区号", "Dial the long-distance area code."), PLATFORM),
    receipt("5220", words("紧急呼叫", "Emergency call."), PLATFORM),
    receipt("5221", words("拨打GSM", "Dial GSM."), PLATFORM),
    receipt("5222", words("用户正忙", "The user is busy now."), CALLEE),
    receipt("5223", words("号码有误", "The number is wrong."), NUMBER),
    receipt("5224", words("号码失效", "The number is no longer valid."), PLATFORM),
    receipt("5225", words("网络忙", "The network is busy."), NETWORK),
    receipt("5226", words("校对", "Proofreading."), PLATFORM),
    receipt("5227", words("暂停服务", "The service is suspended."), CALLEE_SERVICE),
    receipt("5228", words("用户不存在", "The user does not exist."), NUMBER),
    receipt("5229", words("不便接听", "The user cannot answer now."), CALLEE),
    receipt("5230", words("未开通语音通话", "The voice service is not opened."), VOICE_SERVICE),
    receipt("5237", words("无法识别", "Cannot be recognized."), PLATFORM),
    receipt("5300", words("内部错误", "Internal error."), PLATFORM),
    receipt("5400", words("服务不可用", "The service is unavailable."), PLATFORM),
    receipt("402", words("需要付费才能完成通话", "The call needs to be paid for."), PLATFORM),
    receipt("403", words("禁止呼叫", "The call is forbidden."), PLATFORM),
    receipt(
        "404",
        words("屏蔽地区/黑名单/超频", "Blocked area, blacklist, or called too often."),
        AREA_OR_FREQUENCY,
    ),
    receipt("408", words("有振铃，超时无人接听", "It rang, nobody answered in time."), CALLEE),
    receipt(
        "480",
        words(
            "超频、黑名单、盲区的问题拒接、无人接听、正在通话、软件拦截、停机、关机、空号的问题",
            "Called too often, blacklist, no coverage, refused, not answered, in a call, held back by software, out of service, switched off, or no such number.",
        ),
        FREQUENCY_OR_CALLEE,
    ),
    receipt(
        "484",
        words("服务网关收到一个地址不完整的请求", "The gateway got a request with an incomplete address."),
        PLATFORM,
    ),
    receipt(
        "486",
        words("被叫方正忙或者拒绝了通话", "The called party is busy or refused the call."),
        CALLEE,
    ),
    receipt("487", words("用户主动挂断", "The user hung up."), CALLEE),
    receipt(
        "500",
        words("振铃后被叫拒接/未接听", "The called party refused or did not answer after ringing."),
        CALLEE,
    ),
    receipt("502", words("错误的服务网关", "The gateway is wrong."), PLATFORM),
    receipt("503", words("服务网关超负载", "The gateway is overloaded."), PLATFORM),
    receipt("504", words("服务网关内部通信超时", "The gateway timed out internally."), PLATFORM),
    receipt("603", words("被叫方无法接通或拒接", "The called party cannot be connected or refused."), CALLEE),
    receipt("100000001", words("主叫取消呼叫", "The caller cancelled the call."), CALLER),
    receipt("100000002", words("用户忙(486)", "The user is busy (486)."), CALLEE),
    receipt(
        "100000003",
        words(
            "有长时间振铃未接听，用户忙未接听，客户信号不好未接听，客户关机未接听",
            "It rang for long unanswered; not answered as the user was busy, had bad reception or was switched off.",
        ),
        CALLEE,
    ),
    receipt(
        "100000005",
        words(
            "客户未接听/目的地址不完整/号码被拦截",
            "The user did not answer, the address is incomplete, or the number was held back.",
        ),
        CALLEE_THEN_PLATFORM,
    ),
    receipt(
        "100000006",
        words("运营商网络问题，请稍后重发", "The carrier's network has a problem; send again later."),
        LATER,
    ),
    receipt("100000007", words("用户拒接", "The user refused."), CALLEE),
    receipt(
        "0",
        words("长时间振铃无人接听，系统主动挂断", "It rang for long, nobody answered, the system hung up."),
        CALLEE,
    ),
    receipt("500001", words("终端骚扰拦截", "The telephone holds back nuisance calls."), CALLEE),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The document's table: code, meaning and advice between tabs.
    const PRINTED: &str = include_str!("receipts.tsv");

    #[test]
    fn the_table_is_the_documents() {
        // A letter that strayed into the document's table.
        let printed = PRINTED.replace("振f铃", "振铃");
        let printed: Vec<_> = printed.lines().map(|line| line.split('\t').collect::<Vec<_>>()).collect();
        let ours = RECEIPTS.iter().map(|receipt| match receipt.advice.chinese {
            "" => vec![receipt.code, receipt.meaning.chinese, "/"],
            advice => vec![receipt.code, receipt.meaning.chinese, advice],
        });
        assert_eq!(ours.collect::<Vec<_>>(), printed);
        assert_eq!(RECEIPTS.len(), 114);
    }

    #[test]
    fn every_code_is_found_and_stands_once() {
        for receipt in RECEIPTS {
            assert_eq!(of(receipt.code), Some(receipt), "{}", receipt.code);
            assert!(receipt.meaning.english.ends_with('.'), "{}", receipt.code);
        }
        assert_eq!(of("DH:0022"), None);
    }
}
