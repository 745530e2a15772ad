"""What the shipped clips say.

Each phrase is given twice: in characters for people and in pinyin for the voice. The pinyin is written by hand with
the tones as they are spoken (third-tone sandhi, 一 before a fourth tone), because a dictionary gets exactly these wrong.
A figure ends each syllable, 5 is the neutral tone; words are separated by spaces, syllables in a word by hyphens.
"""

from dataclasses import dataclass

WOMAN = "zf_xiaoxiao"
MAN = "zm_yunyang"


# A syllable on its own comes out flat and with a wrong ending, whatever its tone: the voice needs a sentence. So a digit
# is spoken between two commas of this one and cut out. Its neighbours start and end without voice, which leaves gaps.
CARRIER = ("nin2-hao3, qing3 an4 shu4-zi4 jian4, ", ", qing3 bu2-yao4 an4 jing3-hao4 jian4.")

# At the usual speed some sentences begin with a breath that a telephone does not carry, which is heard as a wait.
BREATHED = 0.86


@dataclass(frozen=True)
class Digit:
    """A clip of one digit, stretched to a length that suits reading a code aloud."""

    name: str
    text: str
    pinyin: str
    millis: int


@dataclass(frozen=True)
class Phrase:
    """A clip of a whole sentence: its file name without `.wav`, what it says, in whose voice and how fast."""

    name: str
    text: str
    pinyin: str
    voice: str = WOMAN
    speed: float = 0.9


DIGITS = [
    Digit("digit-0", "零", "ling2", 375),
    Digit("digit-1", "一", "yi1", 325),
    Digit("digit-1-yao", "幺", "yao1", 350),
    Digit("digit-2", "二", "er4", 325),
    Digit("digit-3", "三", "san1", 375),
    Digit("digit-4", "四", "si4", 375),
    Digit("digit-5", "五", "wu3", 350),
    Digit("digit-6", "六", "liu4", 375),
    Digit("digit-7", "七", "qi1", 375),
    Digit("digit-8", "八", "ba1", 350),
    Digit("digit-9", "九", "jiu3", 375),
]

PHRASES = [
    Phrase("transferring", "正在为您转接中，请稍后。", "zheng4-zai4 wei4 nin2 zhuan3-jie1 zhong1, qing3 shao1-hou4."),
    Phrase("last-minute", "本次通话时长还剩一分钟。", "ben3 ci4 tong1-hua4 shi2-chang2 hai2 sheng4 yi4 fen1-zhong1."),
    Phrase("again", "再说一遍。", "zai4 shuo1 yi2 bian4."),
    Phrase("code-is", "您的验证码是", "nin2 de5 yan4-zheng4-ma3 shi4,"),
    Phrase("welcome", "您好，您的验证码是", "nin2-hao3, nin2 de5 yan4-zheng4-ma3 shi4,"),
    # The words around a verification code, one pair for each of `base::clip::CodeWording`. What comes before ends in a
    # comma, so that the voice does not fall; the digits follow.
    Phrase("code-plain-before", "您的验证码为", "nin2 de5 yan4-zheng4-ma3 wei2,"),
    Phrase("code-plain-after", "如非本人操作，请忽略！", "ru2 fei1 ben3-ren2 cao1-zuo4, qing3 hu1-lüe4."),
    Phrase("code-registration-before", "您的注册验证码是", "nin2 de5 zhu4-ce4 yan4-zheng4-ma3 shi4,"),
    Phrase(
        "code-registration-after",
        "请不要把验证码泄漏给其他人。",
        "qing3 bu2-yao4 ba3 yan4-zheng4-ma3 xie4-lou4 gei3 qi2-ta1-ren2.",
        speed=BREATHED,
    ),
    Phrase("code-log-in-before", "您本次登录的验证码为", "nin2 ben3-ci4 deng1-lu4 de5 yan4-zheng4-ma3 wei2,"),
    Phrase("code-log-in-after", "如非本人操作，请勿泄露！", "ru2 fei1 ben3-ren2 cao1-zuo4, qing3 wu4 xie4-lou4."),
    Phrase(
        "code-password-reset-before",
        "您正在找回密码，验证码为",
        "nin2 zheng4-zai4 zhao3-hui2 mi4-ma3, yan4-zheng4-ma3 wei2,",
    ),
    Phrase("code-password-reset-after", "请勿泄露。", "qing3 wu4 xie4-lou4."),
    Phrase(
        "code-payment-before",
        "您正在进行支付确认，验证码是",
        "nin2 zheng4-zai4 jin4-xing2 zhi1-fu4 que4-ren4, yan4-zheng4-ma3 shi4,",
    ),
    Phrase("code-payment-after", "切勿泄露给他人！", "qie4 wu4 xie4-lou4 gei3 ta1-ren2.", speed=BREATHED),
    Phrase(
        "empty-number",
        "您拨打的号码是空号，请核对后再拨。",
        "nin2 bo1-da3 de5 hao4-ma3 shi4 kong1-hao4, qing3 he2-dui4 hou4 zai4 bo1.",
    ),
    Phrase(
        "busy",
        "您拨打的用户正忙，请稍后再拨。",
        "nin2 bo1-da3 de5 yong4-hu4 zheng4 mang2, qing3 shao1-hou4 zai4 bo1.",
    ),
    Phrase(
        "powered-off",
        "您拨打的用户已关机，请稍后再拨。",
        "nin2 bo1-da3 de5 yong4-hu4 yi3 guan1-ji1, qing3 shao1-hou4 zai4 bo1.",
    ),
    Phrase(
        "demo-caller",
        "你好，我是主叫，这是一次测试通话，你那边听得清楚吗？",
        "ni2-hao3, wo3 shi4 zhu3-jiao4, zhe4 shi4 yi2 ci4 ce4-shi4 tong1-hua4, ni3 na4-bian1 ting1 de5 qing1-chu5 ma5?",
    ),
    Phrase(
        "demo-callee",
        "你好，我是被叫，我听得非常清楚，声音没有问题，谢谢。",
        "ni2-hao3, wo3 shi4 bei4-jiao4, wo3 ting1 de5 fei1-chang2 qing1-chu5, sheng1-yin1 mei2-you3 wen4-ti2, xie4-xie5.",
        voice=MAN,
        speed=0.85,
    ),
]
