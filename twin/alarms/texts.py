"""Every word that a message says, one object a language. What is English in the tables is listed for Chinese only, in
`twin.alarms.texts_zh`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from twin.alarms.rows import ALARMS, OF_LINE, AlarmRow, index_of
from twin.alarms.texts_zh import ZH_ALARMS, ZH_CAUSES
from twin.causes import CAUSES
from twin.faults import JUDGED

__all__ = ["LANGUAGES", "Words", "words"]

_JUDGED = {*JUDGED, *OF_LINE.values()}


@dataclass(frozen=True, slots=True)
class Words:
    """Words of one language. `alarms`: code -> title, cause, consequence, advice; missing = as in the table. `causes`:
    cause that a model names -> title, advice."""

    what: str
    where: str
    since: str
    state: str
    how_bad: str
    seen: str
    cause: str
    consequence: str
    advice: str
    respond: str
    by: str
    look: str
    colon: str
    minutes: str
    subjects: Mapping[str, str]
    priorities: Mapping[str, str]
    states: Mapping[str, str]
    digest: str
    digest_places: str
    more: str
    alarms: Mapping[str, tuple[str, str, str, str]]
    causes: Mapping[str, tuple[str, str]]

    def title(self, row: AlarmRow) -> str:
        return self.alarms[row.code][0] if row.code in self.alarms else row.title

    def title_of(self, code: str) -> str:
        return self.title(ALARMS[index_of(code)])

    def rational(self, row: AlarmRow, evidence: str = "") -> tuple[str, str, str]:
        """Likely cause, consequence, advice. What a model says has the cause that is its evidence."""
        found = self.alarms.get(row.code)
        cause, consequence, advice = found[1:] if found else (row.cause, row.consequence, row.advice)
        if row.code in _JUDGED and evidence:
            cause, own = self.causes.get(evidence, (evidence.replace("_", " "), ""))
            advice = own or advice
        return cause, consequence, advice

    def what_was_seen(self, code: str, value: float | None, evidence: str) -> str:
        """The evidence; of what a model says with its probability."""
        return f"{evidence} {value:.0%}" if code in _JUDGED and value is not None else evidence

    def subject(self, kind: str, priority: str, title: str, unit: str, level: int) -> str:
        return self.subjects[kind].format(priority=self.priorities[priority], title=title, unit=unit, level=level)

    def within(self, minutes: int) -> str:
        return self.minutes.format(minutes=minutes)

    def many(self, count: int, unit: str) -> str:
        return self.digest.format(count=count, unit=unit)

    def places(self, count: int, units: int) -> str:
        return self.digest_places.format(count=count, units=units)

    def and_more(self, count: int) -> str:
        return self.more.format(count=count)


EN = Words(
    what="What", where="Where", since="Since", state="State", how_bad="Priority", seen="Seen", cause="Likely cause",
    consequence="If nothing is done", advice="What to do", respond="Respond", by="By", look="Look", colon=": ",
    minutes="within {minutes} min",
    subjects=MappingProxyType({
        "raised": "[{priority}] {title}: {unit}",
        "realarmed": "[{priority}] still there: {title}: {unit}",
        "returned": "[{priority}] over, not acknowledged: {title}: {unit}",
        "acknowledged": "[{priority}] acknowledged: {title}: {unit}",
        "cleared": "[{priority}] over: {title}: {unit}",
        "silenced": "[{priority}] silenced: {title}: {unit}",
        "escalated": "[{priority}] nobody has acknowledged (step {level}): {title}: {unit}",
    }),
    priorities=MappingProxyType({"low": "low", "medium": "medium", "high": "high"}),
    states=MappingProxyType({
        "normal": "normal", "unacknowledged": "not acknowledged", "acknowledged": "acknowledged",
        "returned_unacknowledged": "over, not acknowledged", "latched_unacknowledged": "latched, not acknowledged",
        "latched_acknowledged": "latched, to be reset", "shelved": "shelved", "suppressed": "suppressed by design",
        "out_of_service": "out of service",
    }),
    digest="{count} alarms: {unit}", digest_places="{count} alarms at {units} units.", more="... and {count} more.",
    alarms=MappingProxyType({}), causes=MappingProxyType({row.name: (row.title, row.advice) for row in CAUSES}),
)  # fmt: skip

ZH = Words(
    what="报警", where="位置", since="开始时间", state="状态", how_bad="优先级", seen="依据", cause="可能原因",
    consequence="不处理的后果", advice="处理措施", respond="响应", by="操作人", look="查看", colon="：",
    minutes="{minutes} 分钟内",
    subjects=MappingProxyType({
        "raised": "【{priority}】{title}：{unit}",
        "realarmed": "【{priority}】仍未消除：{title}：{unit}",
        "returned": "【{priority}】已恢复未确认：{title}：{unit}",
        "acknowledged": "【{priority}】已确认：{title}：{unit}",
        "cleared": "【{priority}】已消除：{title}：{unit}",
        "silenced": "【{priority}】已抑制：{title}：{unit}",
        "escalated": "【{priority}】无人确认（第 {level} 级）：{title}：{unit}",
    }),
    priorities=MappingProxyType({"low": "低", "medium": "中", "high": "高"}),
    states=MappingProxyType({
        "normal": "正常", "unacknowledged": "未确认", "acknowledged": "已确认",
        "returned_unacknowledged": "已恢复未确认",
        "latched_unacknowledged": "锁存未确认", "latched_acknowledged": "锁存待复位", "shelved": "已搁置",
        "suppressed": "设计抑制", "out_of_service": "停用",
    }),
    digest="{count} 条报警：{unit}", digest_places="{units} 个单元共 {count} 条报警。", more="……另有 {count} 条。",
    alarms=ZH_ALARMS, causes=ZH_CAUSES,
)  # fmt: skip
LANGUAGES: Mapping[str, Words] = MappingProxyType({"en": EN, "zh": ZH})


def words(language: str) -> Words:
    """The words of a language; raises KeyError for one that there is not."""
    return LANGUAGES[language]
