"""What assistants say about themselves and around their answers, in English and Chinese.

`ABOUT_ITSELF`: "As an AI language model", "I was trained by …", knowledge cut-offs. A student that
learns it takes over the teacher's name and dates. `COURTESY`: "I hope this helps!", "Let me know if
you have any questions" at the end of an answer, where it says nothing.
"""

from __future__ import annotations

import re
from typing import Final

_AI: Final = (
    r"(?:AI|A\.I\.|artificial\s+intelligence|(?:large\s+)?language\s+model|chat\s?bot|LLM"
    r"|(?:text|AI|computer|machine)-based\s+\w+|virtual\s+assistant|digital\s+assistant)"
)
_NAMES: Final = (
    r"(?:ChatGPT|GPT-?\d|Claude|Qwen|DeepSeek|Bard|Gemini|Llama|Mistral|Grok|Kimi|Copilot|Alexa|Siri"
    r"|Open\s?Assistant|Vicuna|Bing\s+Chat)"
)
_MAKERS: Final = (
    r"(?:OpenAI|Anthropic|Google|Alibaba|Meta|DeepSeek|Microsoft|Baidu|Mistral|xAI|Moonshot|Zhipu"
    r"|Tencent|ByteDance|LMSYS)"
)
_ZH_NAMES: Final = (
    r"(?:ChatGPT|GPT|通义千问|千问|文心一言|DeepSeek|深度求索|智谱清言|Kimi|豆包|讯飞星火|混元|小爱同学"
    r"|Claude|Gemini|Qwen)"
)

ABOUT_ITSELF: Final = re.compile(
    rf"(?:^|[,;:.!?(\n—–]\s{{0,3}}|\b(?:that|because|since|but|and|so|while|though|however|sorry|just)\s+)"
    rf"as\s+an?\s+(?:\w+\s+){{0,2}}?{_AI}(?:\s+(?:language|chat|model|assistant|chatbot|system|program"
    rf"|developed|created|trained|by|{_MAKERS})){{0,6}}\s*(?:,|\bI\b|\bmy\b|[—–])"
    rf"|\bI(?:'m|\s+am)\s+(?:just\s+|only\s+|merely\s+|actually\s+)?(?:an?\s+(?:\w+\s+){{0,2}}?{_AI}\b"
    rf"|{_NAMES}\b)(?!\s+(?:engineer|researcher|developer|enthusiast|expert|student|scientist"
    r"|consultant|specialist|ethicist|professional|user))"
    rf"|\bI\s+(?:was|am|have\s+been)\s+(?:created|developed|trained|made|built|designed)\s+by\s+{_MAKERS}"
    r"|\bI\s+(?:do\s+not|don't)\s+have\s+(?:any\s+)?(?:personal\s+(?:opinions?|beliefs?|experiences?"
    r"|preferences?|feelings?|emotions?|thoughts)|feelings\s+or|emotions|consciousness|a\s+physical"
    r"|real-?time\s+(?:access|data|information)|access\s+to\s+(?:real-?time|current|the\s+internet))"
    r"|\bmy\s+(?:last\s+)?(?:knowledge|training)(?:\s+data)?\s*(?:cut-?off|update|only\s+goes|ends|was"
    r"\s+last\s+updated|is\s+(?:limited|current)|extends)"
    r"|\b(?:as\s+of|since|until|up\s+to|at\s+the\s+time\s+of)\s+my\s+(?:last|latest|most\s+recent"
    r"|current|knowledge|training)\b|\bmy\s+(?:last|latest|most\s+recent)\s+(?:knowledge\s+|training\s+)?"
    r"(?:update|cut-?off)|\bmy\s+(?:programming|training\s+data|creators|developers)\b"
    # Chinese
    r"|(?:^|[，。！？；：、\s]|但|因为|由于|虽然)(?:作为|身为)(?:一个|一名|一款|一种)?[^，。！？\n]{0,10}?"
    r"(?:AI|人工智能|语言模型|大模型|机器人|虚拟助手|智能助手)"
    r"(?!工程|研究|专家|爱好|开发|学生|专业|领域|行业|公司|从业|学家|设计|产品|制造)[^，。！？\n]{0,10}?(?:[，,]|我)"
    r"|我(?:只)?是(?:一个|一款|一种|个)?(?:由[^，。！？\n]{1,20}(?:开发|训练|研发|创建|推出)的)?"
    r"(?:AI|人工智能|大?(?:型)?语言模型|聊天机器人|虚拟助手|智能助手)(?!工程师|研究|专家|爱好|开发|学生|专业)"
    rf"|我是(?:来自)?[^，。！？\n]{{0,10}}?{_ZH_NAMES}|我(?:没有|不具备)(?:个人)?(?:情感|感情|意识|观点|实时)"
    r"|我的(?:知识|训练数据|数据|信息)(?:库)?(?:截止|截至|更新|仅?到|只到|停留)"
    r"|截[至止](?:到)?我(?:的)?(?:知识|最后|上次|最近|训练)",
    re.IGNORECASE,
)
COURTESY: Final = re.compile(
    r"\b(?:I\s+)?hope\s+(?:this|that|it|these|my)\b[^.!?\n]{0,40}?\b(?:help(?:s|ed|ful)?|clear(?:s)?"
    r"|clarif(?:y|ies)|useful|answers?|makes\s+sense)\b"
    r"|\b(?:please\s+)?(?:let\s+me\s+know|feel\s+free\s+to|(?:do\s+not|don't)\s+hesitate\s+to)\b"
    r"[^.!?\n]{0,60}?\b(?:question|help|ask|reach|clarif|else|further|assist|more|need|would\s+like)"
    r"|\bis\s+there\s+anything\s+else\b|\banything\s+else\s+(?:I\s+can|you)\b"
    r"|\b(?:I'm|I\s+am)\s+(?:always\s+)?(?:here|happy|glad)\s+to\s+(?:help|assist)\b"
    r"|\b(?:happy|glad)\s+(?:I\s+could|to\s+have)\s+help|\bhappy\s+(?:learning|coding|studying)\s*!"
    r"|希望(?:这|以上|我|能|对|可以)[^。！？\n]{0,25}?(?:帮助|有用|有帮助|帮到|解答|启发)"
    r"|如(?:果|有)?(?:您|你)?(?:还)?(?:有|需要)?(?:任何|其他|其它|更多|什么|进一步|不明白)[^。！？\n]{0,25}?"
    r"(?:随时|欢迎|请|告诉我|问我|提问|联系)"
    r"|(?:请|欢迎)?随时(?:告诉我|问我|向我提问|提问|联系我|与我)|很?(?:高兴|乐意)(?:能)?(?:为您|为你|帮助)"
    r"|还有(?:什么|其他)[^。！？\n]{0,15}(?:帮|可以为)",
    re.IGNORECASE,
)
LETTER: Final = re.compile(
    r"^\W{0,8}(?:subject\s*:|dear\s+(?!user)\w|to\s+whom\s+it|尊敬的|亲爱的|主题[:：])",
    re.IGNORECASE | re.MULTILINE,
)
"""An answer that is a letter: courtesy and declining belong to its writer."""
SIGNED: Final = re.compile(
    r"^\W{0,4}(?:(?:best|kind|warm)(?:\s+\w+)?\s+regards|regards|sincerely|yours\s+\w+|此致|顺祝)\b",
    re.IGNORECASE | re.MULTILINE,
)
"""How a letter ends."""
