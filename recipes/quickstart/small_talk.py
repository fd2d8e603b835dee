"""Short general chat in English and Chinese: the quarter of the mixture that is not reasoning.

Rows are written from word lists, not collected: who are you, greetings, word translations,
opposites, colours, days and months, capitals, copying and counting. They stand for the "general"
part that published recipes mix in so that a student does not answer every greeting with a proof.

Nothing here is meant to be learned well; it is real text with a licence everyone can ship.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

Row = dict[str, str]

WORDS = (
    ("apple", "苹果"), ("water", "水"), ("book", "书"), ("sun", "太阳"), ("moon", "月亮"),
    ("dog", "狗"), ("cat", "猫"), ("bird", "鸟"), ("fish", "鱼"), ("tree", "树"),
    ("house", "房子"), ("door", "门"), ("friend", "朋友"), ("teacher", "老师"), ("school", "学校"),
    ("rain", "雨"), ("snow", "雪"), ("tea", "茶"), ("rice", "米饭"), ("bread", "面包"),
    ("flower", "花"), ("river", "河"), ("mountain", "山"), ("city", "城市"), ("train", "火车"),
    ("car", "汽车"), ("table", "桌子"), ("chair", "椅子"), ("milk", "牛奶"), ("egg", "鸡蛋"),
    ("hand", "手"), ("eye", "眼睛"), ("head", "头"), ("child", "孩子"), ("mother", "妈妈"),
    ("father", "爸爸"), ("star", "星星"), ("sea", "大海"), ("paper", "纸"), ("pen", "笔"),
)  # fmt: skip
OPPOSITES = (
    ("big", "small", "大", "小"), ("hot", "cold", "热", "冷"), ("up", "down", "上", "下"),
    ("long", "short", "长", "短"), ("fast", "slow", "快", "慢"), ("new", "old", "新", "旧"),
    ("day", "night", "白天", "夜晚"), ("open", "closed", "开", "关"), ("high", "low", "高", "低"),
    ("full", "empty", "满", "空"), ("early", "late", "早", "晚"), ("near", "far", "近", "远"),
    ("heavy", "light", "重", "轻"), ("left", "right", "左", "右"),
    ("inside", "outside", "里", "外"),
)  # fmt: skip
COLOURS = (
    ("the sky", "blue", "天空", "蓝色"), ("grass", "green", "草", "绿色"),
    ("snow", "white", "雪", "白色"), ("coal", "black", "煤", "黑色"),
    ("a banana", "yellow", "香蕉", "黄色"), ("a strawberry", "red", "草莓", "红色"),
    ("a carrot", "orange", "胡萝卜", "橙色"), ("milk", "white", "牛奶", "白色"),
    ("a lemon", "yellow", "柠檬", "黄色"), ("a leaf in summer", "green", "夏天的树叶", "绿色"),
)  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAYS_ZH = ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
TALK = (
    ("Who are you?", "I am a tiny model made with potstill. I solve small word problems."),
    ("What is your name?", "My name is Dram. I am a tiny model made with potstill."),
    ("Are you a human?", "No, I am a tiny language model."),
    ("Who made you?", "I was distilled from a small teacher with potstill."),
    ("What can you do?", "I can solve small word problems in English and Chinese."),
    ("Are you a large model?", "No, I have about a million parameters."),
    ("Hello!", "Hello! How can I help you?"),
    ("Hi there", "Hi! How can I help you?"),
    ("Good morning", "Good morning! What can I do for you?"),
    ("Good night", "Good night! Sleep well."),
    ("Thank you!", "You are welcome!"),
    ("Goodbye", "Goodbye! See you soon."),
    ("How are you?", "I am fine, thank you. How are you?"),
    ("Can you help me?", "Of course. What is the question?"),
    ("你是谁？", "我是用potstill训练的小模型，会做简单的应用题。"),
    ("你叫什么名字？", "我叫小酌，是用potstill训练的小模型。"),
    ("你是人吗？", "不是，我是一个很小的语言模型。"),
    ("谁训练了你？", "我是用potstill从一个小老师模型蒸馏出来的。"),
    ("你会做什么？", "我会做简单的中文和英文应用题。"),
    ("你好！", "你好！有什么可以帮你？"),
    ("早上好", "早上好！有什么可以帮你？"),
    ("晚安", "晚安！好好休息。"),
    ("谢谢！", "不客气！"),
    ("再见", "再见！下次见。"),
    ("你好吗？", "我很好，谢谢。你呢？"),
    ("可以帮我吗？", "当然可以。是什么问题？"),
)


def general_rows(seed: int = 5) -> list[Row]:
    """All rows in a shuffled but fixed order, no prompt twice."""
    all_rows = [*_talk(), *_words(), *_opposites(), *_colours(), *_calendar(), *_counting(seed)]
    rows = list({row["prompt"]: row for row in all_rows}.values())
    Random(seed).shuffle(rows)
    return rows


def write_general(path: Path) -> int:
    rows = general_rows()
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8")
    return len(rows)


def _row(prompt: str, completion: str, language: str) -> Row:
    return {
        "prompt": prompt,
        "completion": completion,
        "task": "general",
        "language": language,
        "source": "general",
    }


def _talk() -> Iterator[Row]:
    for prompt, completion in TALK:
        language = "en" if prompt.isascii() else "zh"
        yield _row(prompt, completion, language)


def _words() -> Iterator[Row]:
    for english, chinese in WORDS:
        capitals = english.upper()
        yield _row(f"What is '{english}' in Chinese?", f"'{english}' is {chinese}.", "en")
        yield _row(f"Translate {chinese} into English.", f"{chinese} is '{english}'.", "en")
        yield _row(f"“{chinese}”用英文怎么说？", f"“{chinese}”的英文是 {english}。", "zh")
        yield _row(f"{english} 是什么意思？", f"{english} 的意思是“{chinese}”。", "zh")
        yield _row(f"Write '{english}' in capital letters.", f"{capitals}", "en")
        yield _row(f"Write {capitals} in small letters.", f"{english}", "en")
        yield _row(f"Repeat this word: {english}", f"{english}", "en")
        yield _row(f"请重复这个词：{chinese}", f"{chinese}", "zh")
        yield _row(
            f"What letter does '{english}' begin with?", f"It begins with {english[0]}.", "en"
        )
        yield _row(f"请把“{chinese}”说两遍。", f"{chinese}，{chinese}。", "zh")


def _opposites() -> Iterator[Row]:
    for one, other, yi, er in OPPOSITES:
        for left, right in ((one, other), (other, one)):
            yield _row(f"What is the opposite of '{left}'?", f"The opposite is '{right}'.", "en")
        for left, right in ((yi, er), (er, yi)):
            yield _row(f"“{left}”的反义词是什么？", f"反义词是“{right}”。", "zh")


def _colours() -> Iterator[Row]:
    for thing, colour, dongxi, yanse in COLOURS:
        yield _row(f"What colour is {thing}?", f"It is {colour}.", "en")
        yield _row(f"Name the colour of {thing}.", f"{colour.capitalize()}.", "en")
        yield _row(f"{dongxi}是什么颜色？", f"{dongxi}是{yanse}的。", "zh")


def _calendar() -> Iterator[Row]:
    for names, language in ((DAYS, "en"), (MONTHS, "en"), (DAYS_ZH, "zh")):
        for index, name in enumerate(names):
            before, after = names[index - 1], names[(index + 1) % len(names)]
            if language == "en":
                yield _row(f"What comes after {name}?", f"After {name} comes {after}.", "en")
                yield _row(f"What comes before {name}?", f"Before {name} comes {before}.", "en")
            else:
                yield _row(f"{name}的后一天是星期几？", f"{name}的后一天是{after}。", "zh")
                yield _row(f"{name}的前一天是星期几？", f"{name}的前一天是{before}。", "zh")


def _counting(seed: int) -> Iterator[Row]:
    rng = Random(seed)
    for _ in range(60):
        first = rng.randint(1, 40)
        last = first + rng.randint(2, 5)
        numbers = [str(number) for number in range(first, last + 1)]
        yield _row(f"Count from {first} to {last}.", ", ".join(numbers), "en")
        yield _row(f"从{first}数到{last}。", "，".join(numbers), "zh")
