"""How assistants refuse, in English and Chinese: patterns for one sentence.

`CLEAR` refuses wherever it stands: the assistant says that it will not help, comply or write such
a thing. `OPENING` ("I cannot provide …") and `SORRY` ("Sorry, I can't …") refuse only where an
answer begins: later they are prose. `HELPLESS` is what also a solver says on the way ("I cannot
determine y yet"): it refuses only if nothing comes after it. In all of them the speaker is "I"
(我), and says so in a clause of its own: "he said I can't help" is none.
"""

from __future__ import annotations

import re
from typing import Final

_ADVERBS: Final = (
    r"(?:(?:really|simply|just|unfortunately|regretfully|therefore|also|respectfully|personally"
    r"|currently|still|ethically|legally|directly|do|absolutely|certainly)\s+)*"
)
_CANNOT: Final = (
    r"(?:\bI\s+" + _ADVERBS + r"(?:can(?:no|')?t|can\s+not|could(?:n't|\s+not)|(?:will|would)\s+not"
    r"|won't|wouldn't|am\s+unable\s+to|am\s+not\s+(?:able|permitted|allowed|authorized|programmed"
    r"|designed|willing|going|comfortable|equipped|qualified|supposed|meant|in\s+a\s+position"
    r"|at\s+liberty)"
    r"(?:\s+(?:to|with))?|refuse\s+to|decline\s+to|(?:must|have\s+to|need\s+to)\s+(?:\w+ly\s+)?"
    r"(?:decline|refuse)(?:\s+to)?|do(?:n't|\s+not)\s+feel\s+comfortable(?:\s+with)?"
    r"|(?:would\s+)?(?:rather|prefer)\s+not(?:\s+to)?"
    r"|am\s+(?:prohibited|restricted|prevented|barred)\s+from)"
    r"|\bI'd\s+(?:rather|prefer)\s+not(?:\s+to)?|\bI'm\s+(?:prohibited|restricted|barred)\s+from"
    r"|\bI'm\s+"
    + _ADVERBS
    + r"(?:unable\s+to|not\s+(?:able|permitted|allowed|authorized|programmed"
    r"|designed|willing|going|comfortable|equipped|qualified|supposed|meant|in\s+a\s+position"
    r"|at\s+liberty)"
    r"(?:\s+(?:to|with))?)"
    r"|^(?:sorry\W+(?:but\s+)?)?(?:can(?:no|')?t|unable\s+to))\s+"
    r"(?:and\s+(?:will\s+not|won't)\s+|be\s+able\s+to\s+|be\s+|in\s+good\s+conscience,?\s+"
    r"|actually\s+|directly\s+|ever\s+)*"
)
_HELP: Final = (
    r"(?:assist(?:ing)?\b|help(?:ing)?\b(?!\s+(?:but|it\b|myself|feeling|noticing|thinking|wonder"
    r"|smil|laugh|being))|comply(?:ing)?\b|fulfil(?:l|ling)?\b|accommodat(?:e|ing)\b"
    r"|engag(?:e|ing)\s+(?:in|with)\b|participat(?:e|ing)\s+in\b|facilitat(?:e|ing)\b|condon(?:e|ing)\b"
    r"|(?:do|doing)\s+(?:that|this|so|what\s+you)(?=\s*(?:[.!,;]|\Z|for\s+you|ask|'re|are))"
    r"|go\s+along\s+with)"
)
_MAKE: Final = (
    r"(?:provid(?:e|ing)|offer|giv(?:e|ing)|shar(?:e|ing)|generat(?:e|ing)|creat(?:e|ing)"
    r"|writ(?:e|ing)|produc(?:e|ing)|complet(?:e|ing)|discuss(?:ing)?|respond(?:ing)?|answer(?:ing)?"
    r"|continu(?:e|ing)|perform|execute|process|carry\s+out|recommend|suggest|advise|encourage"
    r"|promote|supply|reveal|disclose|describe|explain|teach|tell|mak(?:e|ing)|support|endorse"
    r"|proceed|speak|talk|comment|compose|draft|translate|summari[sz]e|predict|diagnose|access"
    r"|browse|open|view|search|retrieve|role-?play|pretend|simulate|express|form|take\s+part)\b"
)
_GRANT: Final = r"(?:satisfy|meet|honou?r|grant|accept|handle|follow|act\s+on|entertain)\b"
_FORBIDDEN: Final = (
    r"(?:requests?\b|question\b|prompt\b|quer(?:y|ies)\b|illegal|harmful|unethical|inappropriate"
    r"|offensive|dangerous|explicit|hateful|malicious|unsafe|discriminat|such\s+(?:content|information"
    r"|material|a\b|an\b)|(?:that|this)\s+(?:kind|type|sort)\s+of|content\s+that"
    r"|instructions\s+(?:on|for)|guidance\s+on)"
)
_RULES: Final = (
    r"(?:\b(?:it|this|that|which|request|content|so)\s+)?(?:(?:goes?|is|are|be|would\s+be)\s+against|violates?|in\s+violation\s+of|conflicts?\s+with)\s+"
    r"(?:my|our|the|openai|anthropic)\b[^.!?]{0,30}?"
    r"(?:guidelines|polic(?:y|ies)|programming|principles|values|terms|rules)"
)
_IN_TIME: Final = (
    r"(?:马上|立即|立刻|及时|按时|准时|如期|当天|当日|今天|尽快|按期)(?:[为给向](?:您|你))?+"
)
_SERVE: Final = (
    r"(?:协助|帮|配合|提供|回答|回应|答复|讨论|生成|创作|撰写|编写|写|处理|完成|给出|解答|满足)"
)
"""`抱歉，无法马上发货` tells of a thing that takes time; `抱歉，无法立即回答` does not help."""

CLEAR: Final = re.compile(
    rf"{_CANNOT}(?:{_HELP}|(?:{_MAKE}|{_GRANT})[^.!?]{{0,80}}?{_FORBIDDEN})(?![^.!?]{{0,40}}\benough\b)"
    rf"|{_RULES}"
    r"|\bI\s+(?:must|have\s+to)\s+(?:\w+ly\s+)?(?:decline|refuse)\b"
    r"|\bI\s+(?:do\s+not|don't)\s+(?:condone|engage\s+in|assist\s+with|facilitate|participate\s+in)"
    r"|\b(?:it\s+is|it's|it\s+would\s+be)\s+(?:not\s+(?:appropriate|ethical)|inappropriate|unethical"
    r"|irresponsible)\s+for\s+me\s+to\b"
    r"|\bit\s+(?:isn't|(?:would\s+not|wouldn't)\s+be)\s+(?:appropriate|ethical|responsible)"
    r"\s+(?:for|of)\s+me\s+to\b"
    r"|(?:\b(?:that|this|it)(?:'s|\s+is)\s+)?not\s+something\s+(?:that\s+)?I(?:\s+can|'m\s+(?:able|willing)|\s+am\s+(?:able|willing))\b"
    r"|(?:\b(?:that|this|it)(?:'s|\s+is)\s+)?\b(?:beyond|outside)\s+(?:of\s+)?my\s+(?:current\s+)?(?:scope|capabilities|abilities)\b"
    r"|\b(?:let's|can\s+we)\s+(?:talk|chat)\s+about\s+something\s+else\b"
    r"|\bnot\s+sure\s+how\s+to\s+approach\s+this\s+type\s+of\s+question\b"
    r"|\bwe\s+(?:can't|cannot|are\s+unable\s+to)\s+(?:assist|help\s+(?:you\s+)?with|fulfil|comply)"
    r"|\b(?:this|your)\s+request\s+(?:cannot|can't)\s+be\s+(?:fulfilled|processed|completed)"
    # Chinese
    r"|(?:我|本模型|本助手|AI)(?:们)?(?:也|还|暂时|目前|现在|实在|真的|恐怕|可能|确实)*"
    r"(?:无法|不能|不可以|不会|没有办法|没办法|没法|不便|拒绝|难以|无权)"
    r"(?:为您|为你|给您|给你|向您|向你|继续|对此|就此|再|在此|直接|随意)*"
    r"(?:满足(?:您|你|这|该|此)|协助|帮助(?:您|你)|帮(?:您|你)"
    r"|(?:帮助|帮忙|帮)(?:编写|撰写|写作?|制作|制造|生成|创作|策划|设计|实施|伪造|编造|完成|进行|从事)|配合|遵从|执行(?:您|你|这|该|此)"
    r"|(?:提供|回答|回应|讨论|生成|创作|撰写|编写|参与|支持|处理|完成|给出)"
    r"[^。！？\n]{0,30}(?:请求|要求|此类|这类|这种|该类|违法|非法|有害|不当|危险|暴力|色情|歧视"
    r"|这个问题|该问题|您的问题|你的问题|相关(?:的)?(?:内容|信息|问题)))"
    r"|(?:让我们|我们|请|咱们)(?:换|聊|谈)(?:个|点|一个|些)?(?:其他|别的)?话题"
    r"|我?(?:还没有|没有|还没|尚未)学(?:会|习)(?:如何|怎么|怎样)?(?:思考|回答)这(?:类|个)问题"
    r"|(?:无法|不能|不予|拒绝)(?:回答|回应|讨论)(?=[。！,，]|\Z)|根据相关(?:的)?法律法规和政策"
    r"|(?:这个|该|此|您的|你的)问题(?:我)?(?:暂时|目前|现在)?无法回答|恕(?:我)?(?:无法|不能|难从命|难以)|无可奉告|(?:违反|违背)(?:了)?(?:我的|相关|法律|使用|平台|内容)"
    r"[^。！？\n]{0,20}(?:，|,)?[^。！？\n]{0,10}(?:无法|不能)",
    re.IGNORECASE,
)
OPENING: Final = re.compile(
    rf"{_CANNOT}{_MAKE}(?![^.!?]{{0,40}}\benough\b)"
    r"|\bI(?:\s+(?:do\s+not|don't|wouldn't|would\s+not)\s+(?:really\s+)?feel"
    r"|\s+am\s+not|'m\s+not)\s+(?:really\s+|entirely\s+)?comfortable\s+(?:with\s+)?[a-z]{2,}ing\b"
    r"|\bI\s+(?:do\s+not|don't)\s+have\s+(?:the\s+ability|the\s+capability|access|real-?time"
    r"|up-to-date)\b"
    r"|^(?:I'm\s+|I\s+am\s+)?(?:very\s+|so\s+|really\s+|truly\s+)?sorry,?\s+(?:but\s+)?(?:I\s+)?"
    r"(?:can(?:no|')?t|cannot|won't)\s*[.!]?\Z"
    r"|^(?:no,?\s+)?I\s+(?:can't|cannot|won't|will\s+not)\s*[.!]?\Z"
    r"|(?:抱歉|对不起|遗憾|不好意思)[，,。！!：:\s]{0,3}(?:但是|但|不过)?[^，。！？\n]{0,15}[，,]?"
    r"(?:我|本人|本模型|AI)?(?:们)?(?:也|还|暂时|目前|现在|实在|真的|恐怕)*"
    r"(?:无法|不能|没有办法|没办法|没法|不可以|不便|做不到|帮不了|无能为力|无权)(?!找到|参加|出席|到场|赴约"
    rf"|{_IN_TIME}(?!{_SERVE}))"
    r"|我(?:也|还|暂时|目前|现在|实在|真的|恐怕)*(?:无法|不能|不可以|没有办法|没办法|没法|不便|无权)"
    r"(?:为您|为你|给您|给你|向您|向你|继续|对此|就此|直接|随意)*"
    r"(?:提供|回答|回应|讨论|生成|创作|撰写|编写|参与|支持|处理|完成|给出|告诉|访问|浏览|推荐|评论|预测"
    r"|透露|表达|发表|打开|播放|查询|获取)",
    re.IGNORECASE,
)
SORRY: Final = re.compile(
    r"(?:\bI'm\s+|\bI\s+am\s+)?(?:(?:very|so|really|truly|deeply)\s+)?\b(?:sorry|apologi[sz]e|apologies)"
    rf"\b[^.!?]{{0,40}}?{_CANNOT}(?!come|attend|join|make\s+it|go\b|be\b|stay|believe|agree|wait|find\s+a)"
    r"\w",
    re.IGNORECASE,
)
HELPLESS: Final = re.compile(
    rf"{_CANNOT}(?:solve|determin(?:e|ing)|see|find|calculate|compute|say|work\s+(?:this|it)\s+out"
    r"|figure|identify|verify|understand)\b"
    r"|\bI\s+(?:\w+\s+)?(?:do\s+not|don't)\s+(?:know|have\s+(?:enough|any|sufficient))\b"
    r"|\b(?:I\s+have\s+)?no\s+idea\b|\bI(?:'m|\s+am)\s+not\s+sure\b"
    r"|我(?:也|还|真的|实在|暂时|目前)*(?:不知道|不清楚|不确定|不会(?:做|解)|无法(?:确定|求解|解决|判断|得出|看到|计算)"
    r"|不能(?:确定|判断))|^不知道|^不清楚",
    re.IGNORECASE,
)
OWN_CLAUSE: Final = re.compile(
    r"(?:\A|[,;:—–(，；：。…-]\s*|\b(?:but|and|so|because|since|therefore|thus|unfortunately"
    r"|regrettably|however|afraid|sorry|apologi[sz]e|apologies|regret|while|although|though|as"
    r"|well|yes|no|AI|model|assistant)(?:\s+that)?,?\s+"
    r"|\b(?:understand|know|note|clear|inform\s+you|say|tell\s+you|means?)\s+that\s+"
    r"|但是?|不过|所以|因此|因为|而且|同时|很|非常|十分|实在|真|深感)\Z",
    re.IGNORECASE,
)
"""How the text before a refusal may end within its sentence."""
TURN: Final = re.compile(
    r"\b(?:but|however|that\s+said|still|nevertheless|instead|though|yet|what\s+I\s+can)\b"
    r"[^.!?\n]{0,80}?\b(?:here(?:'s|\s+is|\s+are)|(?:I|we)\s+(?:can|could|will|would)|I'll|I'd|let\s+me"
    r"|let's)\b|^here(?:'s|\s+is|\s+are)\b|(?:但是?|不过|然而|只是)[^。！？\n]{0,20}?(?:可以|以下|下面)"
    r"|^(?:以下|下面)",
    re.IGNORECASE,
)
"""Turns from what is refused to what is given instead."""
GOES_ON: Final = re.compile(
    r",?\s+(?:but|so|yet)\s+(?!I\b|I'|you|if\b|here|let|feel|please|there|perhaps|maybe|we\b)"
    r"|[，,](?:但是?+|所以|不过)(?!我|您|你|可以|以下|下面|如果|请)",
    re.IGNORECASE,
)
"""Goes on with the matter in the same sentence: nothing was refused."""
ANSWERED: Final = re.compile(
    r"\\boxed\s*\{\s*[^\s}]|\b(?:final\s+)?answer(?:\s+is|\s*:)\s*\S|答案(?:是|为|：|:)\s*\S|####\s*\S",
    re.IGNORECASE,
)
VALUE: Final = re.compile(
    r"[=≈]|\b(?:is|are|be|about|around|approximately|roughly|guess|estimate)\s+(?:about\s+|around\s+"
    r"|approximately\s+|roughly\s+)?[-$£€¥]?\d|(?:是|为|约|大约|等于)\s*[-$¥￥]?\d",
    re.IGNORECASE,
)
