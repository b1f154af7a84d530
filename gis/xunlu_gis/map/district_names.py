"""Names of the demo district and how they are spelled: fictional, and made of a few common characters.

The table spells every character that the district uses, so that the demonstration is searchable by pinyin without a
dictionary. None of the names means a real place.
"""

import random
from collections.abc import Iterator

_SYLLABLES = """
永yong 安an 长chang 新xin 文wen 明ming 德de 仁ren 义yi 嘉jia 瑞rui 康kang 富fu 宝bao
广guang 惠hui 龙long 云yun 天tian 金jin 玉yu 青qing 翠cui 兰lan 梅mei 松song 竹zhu 柳liu
桂gui 春chun 秋qiu 宁ning 和he 兴xing 昌chang 平ping 福fu 源yuan 泉quan 庆qing 丰feng 泰tai
华hua 盛sheng 林lin 园yuan 山shan 川chuan 河he 湖hu 溪xi 桥qiao 塘tang 门men 祥xiang 顺shun
东dong 南nan 西xi 北bei 中zhong 外wai 内nei 大da 道dao 路lu 街jie 弄long 里li 江jiang
清qing 望wang 滨bin 岸an 老lao 城cheng 苑yuan 示shi 范fan 区qu 公gong 人ren 民min 场chang
高gao 架jia 环huan 隧sui 铁tie 站zhan 号hao 线xian 一yi 二er 办ban 事shi 处chu 派pai
出chu 所suo 管guan 队dui 医yi 院yuan 小xiao 学xue 菜cai 市shi 商shang 业ye 心xin 岗gang
亭ting 镇zhen 海hai 港gang 绿lü 地di 步bu 建jian 设she 解jie 放fang 光guang 迎ying 阳yang
火huo 车che 渡du 口kou 书shu 香xiang 石shi
"""

_PINYIN = {token[0]: token[1:] for token in _SYLLABLES.split()}

_ENGLISH = {
    "街道": "Subdistrict",
    "大道": "Avenue",
    "高架路": "Elevated Road",
    "公园": "Park",
    "路": "Road",
    "街": "Street",
    "弄": "Lane",
    "里": "Lane",
    "江": "River",
    "河": "Creek",
    "站": "Station",
}

_FIRST = "永安长新文明德仁义嘉瑞康富宝广惠龙云天金玉青翠兰梅松竹柳桂春秋"
_SECOND = "宁和兴昌平福源泉庆丰泰华盛林园山川湖溪桥塘门祥顺"


def spell(name: str) -> str:
    """Pinyin of a name of the district, one syllable for each character, separated by spaces."""
    return " ".join(_PINYIN[character] for character in name)


def translate(name: str) -> str:
    """The name as English street signs write it: pinyin in one word and the kind of place translated."""
    for suffix, english in _ENGLISH.items():
        if name.endswith(suffix) and name != suffix:
            return f"{spell(name.removesuffix(suffix)).replace(' ', '').capitalize()} {english}"
    return spell(name).replace(" ", "").capitalize()


def stems(rng: random.Random, taken: set[str]) -> Iterator[str]:
    """Two-character stems in random order, each once, none that is taken already."""
    names = [a + b for a in _FIRST for b in _SECOND if a != b and a + b not in taken]
    rng.shuffle(names)
    yield from names
